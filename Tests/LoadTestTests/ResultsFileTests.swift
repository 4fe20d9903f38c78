import Foundation
import Histogram
import Testing
import TestSupport

@testable import LoadTest

@Suite struct ResultsFileTests {
    @Test func `JSON brings back the same result`() throws {
        var merged = RunResult.rich
        merged.parts = []
        for result in [RunResult.rich, merged, ReportHTMLTests.empty] {
            let json = try result.json()
            #expect(try RunResult(json: json) == result)
            #expect(try RunResult(json: json).json() == json, "the order of keys is stable")
        }
    }

    @Test func `JSON has the figures that scripts ask for, and is laid out for people`() throws {
        let json = try RunResult.rich.json()
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        let figures = try #require(object["figures"] as? [String: Any])
        let response = try #require(figures["responseMilliseconds"] as? [String: Double])
        #expect(response["p99"] == Double(RunResult.rich.response.percentile(99)!) / 1000)
        #expect(figures["errors"] as? Int == Int(RunResult.rich.totals.errors))
        let text = String(decoding: json, as: UTF8.self)
        #expect(text.hasPrefix("{\n  \"commandLine\": ["))
        #expect(text.contains("\n  \"threadLoads\": [0.42, 0.38],\n"))
        #expect(text.hasSuffix("}\n"))
    }

    @Test func `a layout changes nothing but space`() throws {
        let compact =
            #"{"a":["x,{\"\\",1,{"b":[]}],"c":{"d":null},"e":"\#(String(repeating: "[:", count: 80))"}"#
        let pretty = JSONLayout.pretty([UInt8](compact.utf8))
        let before = try JSONSerialization.jsonObject(with: Data(compact.utf8)) as? NSDictionary
        let after = try JSONSerialization.jsonObject(with: Data(pretty)) as? NSDictionary
        #expect(before == after && before != nil)
        #expect(String(decoding: JSONLayout.pretty([UInt8]("{}".utf8)), as: UTF8.self) == "{}\n")
    }

    @Test func `a file that is no result is refused in plain words`() throws {
        func said(_ text: String) -> String {
            do {
                _ = try RunResult(json: [UInt8](text.utf8))
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(said("").hasPrefix("not a result of `hydrant load`"))
        #expect(said("[1]").hasPrefix("not a result"))
        #expect(said(#"{"format":"oha","summary":{}}"#).hasPrefix("not a result"))
        #expect(
            said(#"{"format":9,"hydrantVersion":"3.0"}"#)
                == "a result of format 9, made by Hydrant 3.0; this one reads format 1: "
                + "use the version that made it")
        #expect(
            said(#"{"format":1,"hydrantVersion":"0.1"}"#).hasPrefix("a damaged result:"))
    }

    @Test func `numbers that no run can have are refused, and every cut is survived`() throws {
        let text = String(decoding: try RunResult.rich.json(), as: UTF8.self)
        let changes = [
            ("\"elapsedSeconds\": 30.0123", "\"elapsedSeconds\": -1", "elapsedSeconds"),
            ("\"index\": 0,", "\"index\": -5,", "index"),
            ("\"spanSeconds\": 1", "\"spanSeconds\": 1e300", "spanSeconds"),
            ("\"inFlight\": 64", "\"inFlight\": 18446744073709551615", "level"),
            ("\"200\": ", "\"200\": 9007199254740993, \"201\": ", "2^53"),
            ("\"response\": \"", "\"response\": \"x", "one space between"),
        ]
        for (old, new, word) in changes {
            let changed = text.replacing(old, with: new, maxReplacements: 1)
            #expect(changed != text, "\(old)")
            let error = #expect(throws: ResultFileError.self) {
                try RunResult(json: [UInt8](changed.utf8))
            }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
        let json = try RunResult.rich.json()
        for cut in stride(from: 0, to: json.count - 2, by: 997) {
            #expect(throws: ResultFileError.self) { try RunResult(json: Array(json[..<cut])) }
        }
    }

    @Test func `CSV is the golden one, a line a second`() throws {
        let csv = RunResult.rich.csv()
        try Golden.check(csv, "seconds.csv")
        let lines = csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(lines.count == 31)
        #expect(lines.allSatisfy { $0.count == lines[0].count })
        let column = try #require(lines[0].firstIndex(of: "answered"))
        let sum = lines.dropFirst().reduce(0) { $0 + UInt64($1[column])! }
        #expect(sum == RunResult.rich.totals[.answered])
    }

    @Test func `a spectrum is byte for byte what the library writes`() throws {
        try Golden.check(RunResult.rich.hgrm(.response), "response.hgrm")
        var dice = SeededDice(seed: 23)
        for values in [1, 2, 10, 333, 20_000] {
            let cells = ResultsLatencyTests.random(&dice, values: values)
            var expected = ""
            LatencyDistribution(cells).histogram.outputPercentileDistribution(
                to: &expected, outputValueUnitScalingRatio: 1000)
            #expect(Hgrm(cells).text == expected)
        }
    }

    @Test func `a spectrum counts beyond 2^31, and an empty one is one`() {
        let text = Hgrm(LatencyCells(cells: [100], counts: [5_000_000_000])).text
        #expect(text.contains("       0.100 1.000000000000 5000000000\n"))
        #expect(Hgrm(LatencyCells()).text.contains("Total count    =            0]"))
    }

    @Test func `the machine is described`() {
        let machine = SystemFacts.machine()
        #expect(!machine.host.isEmpty && !machine.cpu.isEmpty)
        #expect(machine.cores >= 1)
        #expect(machine.memoryBytes > 1 << 20)
        #expect(machine.kernel.hasPrefix("Linux "))
        #expect(
            SystemFacts.cpuName(in: "processor\t: 0\nmodel name\t: A \"B\" CPU\n") == "A \"B\" CPU")
        #expect(SystemFacts.cpuName(in: "processor\t: 0\n") == nil)
        #expect(SystemFacts.memoryBytes(in: "MemFree: 1 kB\nMemTotal:   2048 kB\n") == 2 << 20)
        #expect(SystemFacts.memoryBytes(in: "MemTotal: much") == nil)
    }

    @Test func `stolen time is read from the first line, as a share of what passed`() throws {
        let before = try #require(
            SystemFacts.cpuTimes(in: "cpu  10 0 20 60 5 0 5 0 7 0\ncpu0 1 1 1 1 1 1 1 1\n"))
        #expect(before == SystemFacts.CPUTimes(total: 100, stolen: 0))
        let after = SystemFacts.CPUTimes(total: 300, stolen: 50)
        #expect(after.stolenShare(since: before) == 0.25)
        #expect(before.stolenShare(since: before) == nil)
        #expect(before.stolenShare(since: after) == nil)
        for text in ["", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 x 5 6 7 8"] {
            #expect(SystemFacts.cpuTimes(in: text) == nil)
        }
        #expect(SystemFacts.cpuTimes() != nil)
    }
}
