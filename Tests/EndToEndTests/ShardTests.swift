import Foundation
import Testing

extension EndToEnd {
    /// Many routers, many workers.
    @Suite struct ShardTests {
        @Test func `a visitor lives on one shard, and visitors spread evenly`() throws {
            let cluster = try Cluster(settings: ["routers=2", "workers=4"])
            let urls = (0..<1000).flatMap { visitor in
                (0..<4).map { "\(cluster.pixel)?event=v&uid=visitor-\(visitor)&cb=\($0)" }
            }
            try urls.map { "url = \"\($0)\"\noutput = \"/dev/null\"" }.joined(separator: "\n")
                .write(
                    to: cluster.folder.appendingPathComponent("urls"), atomically: true,
                    encoding: .utf8)
            // A new connection now and then, so that both routers are met.
            let sent = try run(
                "curl", ["-sS", "-Z", "--parallel-max", "20", "-K", "urls"], in: cluster.folder)
            #expect(sent.status == 0, "\(sent.stderr)")
            try cluster.flush()
            let shards = try cluster.status().shards
            #expect(shards.count == 4)
            #expect(shards.map(\.ledger.accepted).reduce(0, +) == 4000)
            for shard in shards {
                let visitors = shard.ledger.accepted / 4
                #expect(shard.ledger.accepted % 4 == 0, "a visitor's four hits are on one shard")
                #expect(
                    (213...287).contains(visitors), "shard \(shard.shard) has \(visitors) visitors")
            }
            let objects = try run("find", ["var/s3", "-name", "*.gz"], in: cluster.folder).lines
            var streams: [String: Set<String>] = [:]
            for object in objects {
                let rows = try run("zcat", [String(object)], in: cluster.folder).lines
                let stream = try #require(object.firstMatch(of: /hydrant-(\d)-/)).1
                for row in rows {
                    let parsed =
                        try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any]
                    let visitor = try #require(parsed?["visitor_id"] as? String)
                    streams[visitor, default: []].insert(String(stream))
                }
            }
            #expect(streams.count == 1000)
            #expect(streams.values.allSatisfy { $0.count == 1 })
        }
    }
}
