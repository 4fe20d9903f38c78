import Foundation
import Testing

/// What an operator reads says what the program does.
@Suite struct DocumentTests {
    @Test func `every counter is in the reference`() throws {
        let source = try ProjectFiles.File(path: "Sources/Shared/Core/Stats/Counter.swift").text
        let reference = try ProjectFiles.File(path: "docs/counters.md").text
        // Up to the first nested type: a `case` further down is a branch or a kind.
        let names = source.prefix(upTo: "public enum Kind").matches(of: #/\n    case (\w+)(?=\n)/#)
        #expect(names.count >= 50)
        for name in names.map(\.1) {
            #expect(reference.contains("`\(name)`"), "docs/counters.md lacks \(name)")
        }
    }

    @Test func `every setting is in the reference`() throws {
        let sources = ProjectFiles.swiftFiles(below: "Sources/Shared/Core/Settings")
        let reference = try ProjectFiles.File(path: "docs/settings.md").text
        let keys = try sources.flatMap { file in
            try file.text.matches(of: #/Setting\(\s*"([a-z_.]+)"/#).map { String($0.1) }
        }
        #expect(keys.count >= 20)
        for key in keys {
            #expect(reference.contains("`\(key)`"), "docs/settings.md lacks \(key)")
        }
    }

    @Test func `the Redshift table has the columns of the default schema`() throws {
        let schema = try ProjectFiles.File(path: "Sources/Shared/Config/DefaultSchema.swift").text
        let wanted = schema.components(separatedBy: "[[column]]\n").dropFirst().map { part in
            let type = part.value(of: "type").uppercased()
            let spelled = type == "DOUBLE" ? "DOUBLE PRECISION" : type
            let required = part.firstMatch(of: #/\n\s*required = true/#) != nil
            return "\"\(part.value(of: "name"))\" \(spelled)\(required ? " NOT NULL" : "")"
        }
        let ddl = try ProjectFiles.File(path: "ops/redshift/01-table.sql").text
        let statement = ddl.prefix(upTo: "\n)").components(separatedBy: "\"events\" (\n").last ?? ""
        let found = statement.split(separator: "\n").map { line in
            String(line.drop(while: \.isWhitespace)).trimmingSuffix(",")
        }
        #expect(wanted.count >= 10)
        #expect(found == wanted)
    }

    @Test func `the shares of the Redshift queues add up`() throws {
        let queues = try ProjectFiles.File(path: "ops/redshift/wlm.json").text
        let shares = queues.matches(of: #/"memory_percent_to_use": (\d+)/#).compactMap { Int($0.1) }
        #expect(shares == [5, 20, 75])
        let slots = queues.matches(of: #/"query_concurrency": (\d+)/#).compactMap { Int($0.1) }
        #expect(slots == [2, 2, 4])
    }

    /// A promise names the tests that show it, and none of them may be gone.
    @Test(arguments: [("docs/durability.md", 40), ("docs/faults.md", 20)])
    func `every test that a page names is there`(path: String, least: Int) throws {
        let page = try ProjectFiles.File(path: path).text
        let tests = ProjectFiles.swiftFiles(below: "Tests")
        let named = page.matches(of: #/`(\w+Tests)` “([^”]+)”/#).map {
            (String($0.1), String($0.2))
        }
        #expect(named.count >= least)
        for (suite, name) in named {
            let isThere = try tests.contains {
                guard $0.path.hasSuffix("/\(suite).swift") else { return false }
                return try $0.text.contains("func `\(name)`(")
            }
            #expect(isThere, "\(path) names \(suite), \(name)")
        }
    }

    @Test func `the durability page knows every level of ack, and names what there is`() throws {
        let page = try ProjectFiles.File(path: "docs/durability.md").text
        let settings = try ProjectFiles.File(path: "docs/settings.md").text
        let ack = try #require(settings.firstMatch(of: #/### `ack`\n[^#]*- Value: ([^\n]+)/#))
        let levels = ack.1.matches(of: #/"(\w+)"/#).map(\.1)
        #expect(levels.count >= 3)
        for level in levels { #expect(page.contains("\n| `\(level)` |"), "ack = \(level)") }

        let keys = page.matches(of: #/`([a-z_.]+)(?: = "\w+")?`/#).map { String($0.1) }
            .filter { $0.contains(".") || $0.contains("on_") || $0.contains("_limit") }
        #expect(keys.count >= 8)
        for key in keys where !key.hasPrefix("vm.") {
            #expect(settings.contains("### `\(key)`"), "docs/durability.md names \(key)")
        }

        let counters = try ProjectFiles.File(path: "docs/counters.md").text
        let names = page.matches(of: #/`(hits_[a-z_]+)`/#).map { String($0.1) }
        #expect(names.count >= 6)
        for name in names {
            let words = name.split(separator: "_").map(String.init)
            let camelCase = words[0] + words.dropFirst().map(\.capitalized).joined()
            #expect(counters.contains("| `\(camelCase)` |"), "docs/durability.md names \(name)")
        }
    }

    /// Policies are copied from the page: one that is no JSON is found by AWS, half an hour later.
    @Test func `every JSON that the AWS page shows is JSON, and every command is there`() throws {
        let page = try ProjectFiles.File(path: "docs/aws.md").text
        let blocks = page.matches(of: #/```json\n([\s\S]*?)```/#).map { String($0.1) }
        #expect(blocks.count >= 8)
        for block in blocks {
            let value = try? JSONSerialization.jsonObject(with: Data(block.utf8))
            #expect(value is [String: Any], "docs/aws.md: not a JSON object:\n\(block)")
        }
        let sources = try ProjectFiles.swiftFiles(below: "Sources/Supervisor/Commands")
            .map { try $0.text }.joined()
        let commands = page.matches(of: #/\n(?:AWS_\w+=\w+ )?hydrant ([a-z]+)/#).map {
            String($0.1)
        }
        #expect(Set(commands) == ["plan", "streams", "check", "run"])
        for command in commands {
            #expect(sources.contains("commandName: \"\(command)\""), "hydrant \(command)")
        }
        for flag in page.matches(of: #/ --(role-arn|bucket-arn|secret-arn)/#).map(\.1) {
            #expect(sources.contains(".customLong(\"\(flag)\")"), "--\(flag)")
        }
    }

    /// Links between the pages, so that none goes nowhere.
    @Test func `every link to a file leads to one`() throws {
        let link = #/\]\(([^)#:\s]+)(?:#[^)]*)?\)/#
        for page in ProjectFiles.texts where page.suffix == "md" {
            for target in try page.text.matches(of: link).map({ String($0.1) }) {
                // What a bench run writes need not have been written yet.
                if target.contains("results/bench-") { continue }
                #expect(page.leadsToFile(target), "\(page.path) links to \(target)")
            }
        }
    }
}
