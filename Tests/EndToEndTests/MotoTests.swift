import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// Delivery as a second implementation sees it: botocore checks each signature, and boto3 reads the
    /// rows back.
    @Suite struct MotoTests {
        private func cluster(_ moto: Moto, credentials path: String) throws -> Cluster {
            try Cluster(
                settings: CredentialTests.settings(moto.endpoint),
                environment: CredentialTests.environment(["AWS_SHARED_CREDENTIALS_FILE": path]))
        }

        /// That many hits, each of another campaign. Every client of h2load goes through the whole list.
        private func send(_ count: Int, to cluster: Cluster) throws {
            let urls = (0..<count).map {
                "\(cluster.pixel)?event=moto&campaign=c\($0)&uid=u\($0 % 977)"
            }
            let list = cluster.folder.appendingPathComponent("urls")
            try urls.joined(separator: "\n").write(to: list, atomically: true, encoding: .utf8)
            let load = try run(
                "h2load", ["--h1", "-n", "\(count)", "-c", "1", "-i", list.path])
            #expect(load.stdout.contains("\(count) succeeded"), "\(load.stdout)\(load.stderr)")
        }

        @Test func `ten thousand rows are signed, taken and read back, each once`() throws {
            let moto = try Moto()
            try moto.makeStreams()
            let pair = try moto.checkSignatures()
            let folder = TemporaryFolder()
            try pair.file.write(
                toFile: folder.path + "/credentials", atomically: true, encoding: .utf8)
            let cluster = try cluster(moto, credentials: folder.path + "/credentials")
            try send(10_000, to: cluster)
            try cluster.flush()
            let status = try cluster.status()
            #expect(status.ledger.delivered == 10_000 && status.ledger.closes)
            #expect(status.counters["firehose_calls_failed"] == 0, "\(cluster.logText)")
            #expect(status.shards.allSatisfy { $0.ledger.delivered > 1000 })
            try moto.acceptAnySignature()
            let campaigns = try moto.rows("campaign")
            #expect(campaigns.sorted() == (0..<10_000).map { "c\($0)" }.sorted())
            let ids = try moto.rows("id")
            #expect(Set(ids).count == 10_000)
        }

        @Test
        func `a wrong secret is refused, rows wait, and the right one is found while it runs`()
            throws
        {
            let moto = try Moto()
            try moto.makeStreams()
            let pair = try moto.checkSignatures()
            let folder = TemporaryFolder()
            let path = folder.path + "/credentials"
            let wrong = Moto.KeyPair(id: pair.id, secret: String(pair.secret.reversed()))
            try wrong.file.write(toFile: path, atomically: true, encoding: .utf8)
            let cluster = try cluster(moto, credentials: path)
            try send(500, to: cluster)
            var last = ""
            let isRefused = try eventually(within: 15) {
                let status = try cluster.status()
                last = status.shards.map { $0.deliveryState + ": " + $0.lastError }.joined()
                return status.ledger.spooled == 500
                    && status.shards.allSatisfy {
                        $0.deliveryState == "refused"
                            && $0.lastError.contains("SignatureDoesNotMatch")
                    }
            }
            #expect(isRefused, "\(last)")
            try pair.file.write(toFile: path, atomically: true, encoding: .utf8)
            let isDelivered = try eventually(within: 60) {
                try cluster.status().ledger.delivered == 500
            }
            #expect(isDelivered, "\(cluster.logText.suffix(2000))")
            try moto.acceptAnySignature()
            let campaigns = try moto.rows("campaign")
            #expect(campaigns.sorted() == (0..<500).map { "c\($0)" }.sorted())
            #expect(!cluster.logText.contains(pair.secret))
            #expect(!cluster.logText.contains(wrong.secret))
        }
    }
}
