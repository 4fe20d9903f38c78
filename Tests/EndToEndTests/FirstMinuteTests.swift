import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What somebody new does: start it, and copy the lines it prints.
    @Suite struct FirstMinuteTests {
        /// A line of the start's block, without its label.
        private func line(_ label: String, of cluster: Cluster) throws -> String {
            let printed = cluster.logText.split(separator: "\n").map { $0.drop { $0 == " " } }
            let line = try #require(
                printed.first { $0.hasPrefix(label + "  ") },
                "no line \"\(label)\":\n\(cluster.logText)")
            return String(line.dropFirst(label.count).drop { $0 == " " })
        }

        private func shell(_ line: String, in cluster: Cluster) throws -> Output {
            try run("bash", ["-c", line], in: cluster.folder)
        }

        /// `settings` beyond the ports. The block may be printed a moment after status says ready.
        private func start(_ settings: [String], _ files: [String: String] = [:]) throws -> Cluster
        {
            let cluster = try Cluster(settings: settings, files: files)
            #expect(eventually(within: 5) { cluster.logText.contains("Ctrl-C here") })
            return cluster
        }

        @Test(arguments: ["data=var", "data=an other's folder"])
        func `the printed lines send a hit and show its row within 15 s`(data: String) throws {
            let cluster = try start([data])
            let hit = try shell(try line("send a hit", of: cluster), in: cluster)
            #expect(hit.stdout.hasPrefix("HTTP/1.1 200"), "\(hit)")
            let query = try line("see its row", of: cluster)
            let isThere = try eventually(within: 15) {
                try shell(query, in: cluster).stdout.contains("visitor-1")
            }
            #expect(isThere, "\(query)")
            let status = try shell(try line("see the ledger", of: cluster), in: cluster)
            #expect(status.stdout.contains("hydrant is running"), "\(status)")
            let demo = try line("demo page", of: cluster)
            #expect(try run("curl", ["-sS", "-i", demo]).stdout.hasPrefix("HTTP/1.1 200"))
            let stop = try #require(
                try line("stop", of: cluster).split(separator: ", or ").last)
            #expect(try shell(String(stop), in: cluster).status == 0)
            let hasEnded = eventually(within: 10) { cluster.process?.isRunning == false }
            #expect(hasEnded && cluster.process?.exitStatus == 0, "\(cluster.logText)")
            let after = try shell(try line("see the ledger", of: cluster), in: cluster)
            #expect(after.stdout.contains("hydrant is stopped"), "\(after)")
        }

        @Test func `they fit a schema that is not ours, too`() throws {
            let schema = """
                table = "order"
                [[column]]
                name = "key"
                type = "varchar(36)"
                source = "hit_id"
                [[column]]
                name = "select"
                type = "bigint"
                source = "query:numéro 1"
                required = true
                [[column]]
                name = "page"
                type = "varchar(40)"
                source = "referer"
                required = true
                """
            let cluster = try start(["schema=s.toml"], ["s.toml": schema])
            let hit = try shell(try line("send a hit", of: cluster), in: cluster)
            #expect(hit.stdout.hasPrefix("HTTP/1.1 200"), "\(hit)")
            let query = try line("see its row", of: cluster)
            let isThere = try eventually(within: 15) {
                try shell(query, in: cluster).stdout.contains("https://example.com/")
            }
            #expect(isThere, "\(query)")
        }
    }
}
