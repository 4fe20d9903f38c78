import Core
import Foundation
import TestSupport
import Testing

@testable import Config

@Suite struct ScenarioFileTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// "line:column message | hint", in order; empty when the text is a scenario.
    private static func problems(_ text: String) -> [String] {
        do throws(ConfigProblems) {
            _ = try ScenarioFile(text: text, file: "s.toml")
            return []
        } catch {
            return error.problems.map { problem in
                guard case .line(_, let line, let column, _) = problem.place else {
                    return "-:- \(problem.message) | \(problem.hint)"
                }
                return "\(line):\(column) \(problem.message) | \(problem.hint)"
            }
        }
    }

    private static func problem(naming word: String) -> ConfigProblem? {
        do throws(ConfigProblems) {
            _ = try ScenarioFile.named(word)
            return nil
        } catch {
            return error.problems.first
        }
    }

    @Test func `the built-in scenarios are the files of loadtest scenarios`() throws {
        let folder = Self.root.appending(path: "loadtest/scenarios")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }
        #expect(Set(files) == Set(ScenarioFile.builtInNames))
        #expect(ScenarioFile.builtInNames.first == "adtech")
        for name in ScenarioFile.builtInNames {
            let text = try String(
                contentsOf: folder.appending(path: name + ".toml"), encoding: .utf8)
            let builtIn = try ScenarioFile.named(name)
            #expect(builtIn.text == text, "\(name): embed the file again")
            #expect(builtIn.scenario.name == name && !builtIn.scenario.description.isEmpty)
        }
    }

    @Test func `what the product has not yet is not in the default scenario`() throws {
        let adtech = try ScenarioFile.named("adtech").scenario
        #expect(adtech.batches.share == 0 && adtech.clicks.share == 0)
        #expect(adtech.bad.share > 0 && adtech.macros.share > 0 && adtech.userAgents.bot > 0)
    }

    @Test func `the reference is what the table of keys says`() throws {
        let readme = try String(
            contentsOf: Self.root.appending(path: "loadtest/scenarios/README.md"), encoding: .utf8)
        #expect(
            readme == ScenarioReference.markdown,
            "run: hydrant docs scenarios > loadtest/scenarios/README.md")
    }

    @Test func `every key is read`() throws {
        let text = """
            name = "mine"
            rate = 2.5
            arrivals = "even"
            connection = { requests = 7, spread = "fixed" }
            day.curve = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                22, 23]

            [events]
            zebra = 1
            apple = 2.5

            [publishers]
            "news.example" = 1

            [macros]
            texts = ["cb=[X]"]
            """
        let scenario = try ScenarioFile(text: text, file: "s").scenario
        #expect(scenario.name == "mine" && scenario.rate == 2.5 && scenario.arrivals == .even)
        #expect(scenario.connection.requests == 7 && scenario.connection.spread == .fixed)
        #expect(scenario.day.curve == (0..<24).map(Double.init))
        #expect(scenario.events == [.init("zebra", 1), .init("apple", 2.5)])
        #expect(scenario.publishers == [.init("news.example", 1)])
        #expect(scenario.macros.texts == ["cb=[X]"])
        #expect(try ScenarioFile(text: "", file: "s", name: "n").scenario == Scenario(name: "n"))
    }

    @Test func `each key takes its default as the reference writes it`() throws {
        var text = ""
        var section: String?
        for key in ScenarioKey.all where key.key != "name" {
            if key.section != section, let next = key.section { text += "[\(next)]\n" }
            section = key.section
            text +=
                key.isWeights
                ? key.defaultText.split(separator: ", ").joined(separator: "\n") + "\n"
                : "\(key.name) = \(key.defaultText)\n"
        }
        #expect(try ScenarioFile(text: text, file: "s", name: "n").scenario == Scenario(name: "n"))
    }

    @Test func `every problem is told at once, in the order of the lines`() {
        let text = """
            ratee = 5
            rate = "fast"
            pipeline = 0
            path = "pixel gif"
            arrivals = "poison"
            bad = 0.1

            [visitors]
              zipf = 9
              cooky_share = 0.1
              share = 1

            [events]
            load = "often"
            view = -1

            [publishers]
            news.example = 1

            [day]
            curve = [1, 2]

            [macros]
            share = 5
            texts = ["cb=[X]", "a b"]

            [bursts]
            every_seconds = nan
            """
        #expect(
            Self.problems(text) == [
                "1:1 unknown key ratee | did you mean rate?",
                "2:8 rate must be a number, 0.01 to 10000000, not \"fast\""
                    + " | write it as a bare number, without quotes",
                "3:12 pipeline must be a whole number, 1 to 64, not 0"
                    + " | any number of that range will do",
                "4:8 path must be a path of at most 256 bytes that begins with /, not \"pixel gif\""
                    + " | the server's name and port come from the command line",
                "5:12 arrivals must be \"even\" or \"poisson\", not \"poison\""
                    + " | did you mean \"poisson\"?",
                "6:1 bad is a section, not a value | write [bad] on a line, and its keys below it",
                "9:10 visitors.zipf must be 0 to 4, not 9 | any number of that range will do",
                "10:3 unknown key visitors.cooky_share | did you mean cookie_share?",
                "11:3 unknown key visitors.share"
                    + " | [visitors] has population, zipf, cookie_share, anonymous_share",
                "14:8 events.load must be a number, 0 to 1000000000, not \"often\""
                    + " | write it as a bare number, without quotes",
                "15:8 events.view must be 0 to 1000000000, not -1"
                    + " | weights are compared with each other: 2 is twice as often as 1",
                "18:1 publishers.news must be a number, 0 to 1000000000, not a section"
                    + " | put a name that holds a point in quotes: \"news.example\" = 1",
                "21:9 day.curve must have 24 numbers, not 2 | one for each hour of the day",
                "24:9 macros.share must be 0 to 1, not 5 | a share is a part of 1: for 5 % write 0.05",
                "25:20 macros.texts must hold texts of 1 to 128 bytes of ASCII without spaces, not"
                    + " \"a b\" | write a space as %20",
                "28:17 bursts.every_seconds must be a number, 0 to 86400, not nan"
                    + " | write it as a bare number, without quotes",
            ])
    }

    @Test func `what relates values to each other is told where it stands`() {
        let text = """
            [events]
            load = 0

            [bursts]
            every_seconds = 5
            seconds = 9

            [referers]
            paths = ["/", "/{1-x}"]

            [publishers]
            "a b" = 1
            """
        #expect(
            Self.problems(text) == [
                "1:2 no entry of [events] has a weight above 0 | write name = 1 for at least one;"
                    + " without the section the built-in ones are used",
                "6:11 a burst is as long as the time between two, or longer"
                    + " | make bursts.seconds less than bursts.every_seconds",
                "9:15 referers.paths has \"/{1-x}\", whose braces hold no numbers | {10-99} is a"
                    + " number from 10 to 99, at most 99999999; a brace itself is %7B",
                "12:9 \"a b\" is no host name"
                    + " | use A-Z, a-z, 0-9, - and ., in quotes: \"news.example\" = 1",
            ])
    }

    @Test func `a key in the wrong place is sent home`() {
        #expect(
            Self.problems("population = 5").map { $0.hasPrefix("1:1 unknown key population") } == [
                true
            ])
        #expect(
            Self.problems("[visitors]\nrate = 5")
                == ["2:1 unknown key visitors.rate | did you mean rate, above the first [section]?"]
        )
        #expect(
            Self.problems("cookie_share = 0.5")
                == [
                    "1:1 unknown key cookie_share"
                        + " | did you mean visitors.cookie_share, in section [visitors]?"
                ])
        #expect(Self.problems("rate = \n").map { $0.hasPrefix("1:") } == [true])
        #expect(Self.problems("description = \"a\\u0000b\"").count == 1)
    }

    @Test func `a text cut at any byte is read or refused with a place`() throws {
        let bytes = Array(try ScenarioFile.named("adtech").text.utf8)
        for cut in 0...bytes.count {
            let text = String(decoding: bytes[..<cut], as: UTF8.self)
            do throws(ConfigProblems) {
                #expect(try ScenarioFile(text: text, file: "s").text == text)
            } catch {
                #expect(
                    error.problems.allSatisfy { if case .line = $0.place { true } else { false } })
            }
        }
    }

    @Test func `a word is a built-in scenario, anything else a file`() {
        #expect(
            Self.problem(naming: "adtec")
                == ConfigProblem(
                    .file("--scenario adtec"), "no built-in scenario has that name",
                    hint: "did you mean adtech? There are adtech, pixel, bursts, diurnal, beacons"))
        #expect(
            Self.problem(naming: "zzz")?.hint
                == "there are adtech, pixel, bursts, diurnal, beacons; a file is named with its folder"
                + " or its .toml")
        #expect(
            Self.problem(naming: "./none.toml")
                == ConfigProblem(
                    .file("./none.toml"), "no such file",
                    hint:
                        "check the path, or use a built-in scenario: adtech, pixel, bursts, diurnal,"
                        + " beacons"))
    }

    @Test func `files are read, and their name is the scenario's`() throws {
        let folder = TemporaryFolder()
        let path = folder.write("rate = 7\n", to: "mine.toml")
        #expect(try ScenarioFile.named(path).scenario.name == "mine")
        #expect(try ScenarioFile.named(path).scenario.rate == 7)
        #expect(Self.problem(naming: folder.path + "/.")?.message == "is a folder, not a scenario")
        folder.write([0x72, 0xff], to: "bad.toml")
        #expect(
            Self.problem(naming: folder.path + "/bad.toml")?.message == "a byte that is not UTF-8")
    }
}
