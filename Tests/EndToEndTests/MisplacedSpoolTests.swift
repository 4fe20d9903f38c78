import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// docs/spool.md, "A shard's folder under another name".
    @Suite struct MisplacedSpoolTests {
        @Test func `rows of a folder under another name are told of, and can be given back`() throws
        {
            let settings = [
                "delivery.mode=aws", "firehose.region=eu-west-1", "workers=2",
                "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
            ]
            let environment = ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"]
            let cluster = try Cluster(settings: settings, environment: environment)
            for n in 0..<60 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            try cluster.stop()
            let accepted = try cluster.status().ledger.accepted
            let waiting = try #require(
                try cluster.status().shards.first { $0.shard == 1 }?.ledger.spooled)
            #expect(accepted == 60 && waiting > 0)

            func move(_ from: String, _ to: String) throws {
                try FileManager.default.moveItem(
                    at: cluster.data.appendingPathComponent("spool/\(from)"),
                    to: cluster.data.appendingPathComponent("spool/\(to)"))
            }
            func list(_ more: [String] = []) throws -> String {
                try cluster.hydrant(["spool", "ls"] + cluster.finding + more).stdout
            }
            let words = "shard 7 good: 1 file of another shard, lane or version"
            try move("shard-1", "shard-7")
            #expect(try list().contains(words), "before a worker saw it")
            try move("shard-7", "shard-1")
            #expect(try cluster.status().ledger.accepted == accepted)

            try move("shard-1", "shard-7")
            try cluster.start()
            #expect(eventually(within: 10) { cluster.logText.contains(".segment.foreign-") })
            try cluster.stop()
            let listed = try list()
            #expect(listed.contains(words), "\(listed)")
            let given = try run(
                "bash",
                [
                    "-c",
                    """
                    mkdir -p rescue/spool/shard-1/good
                    for file in var/spool/shard-7/good/*.segment.foreign-*; do
                        mv "$file" rescue/spool/shard-1/good/$(basename "${file%.foreign-*}")
                    done
                    """,
                ], in: cluster.folder)
            #expect(given.status == 0, "\(given.stderr)")
            let rescue = ["--set", "data=rescue", "--set", "spool.dir=rescue/spool"]
            let rows = try cluster.hydrant(
                ["spool", "cat", "--shard", "1"] + cluster.finding + rescue)
            #expect(rows.lines.count == waiting, "\(rows.stdout)\(rows.stderr)")
            let rescued = try list(rescue)
            #expect(!rescued.contains("of another shard"), "\(rescued)")
        }
    }
}
