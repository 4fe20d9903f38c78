import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// Row F7 of the matrix: no name, no way, nobody there, nobody who answers, and a first address that
    /// is dead.
    @Suite struct UnreachableTests {
        private static let rowCount = 50

        private static func settings(_ spooler: Cluster, _ endpoint: String) -> [String] {
            [
                "data=\(spooler.data.path)", "delivery.mode=aws", "workers=1",
                "firehose.region=us-east-1", "firehose.endpoint_url=\(endpoint)",
                "delivery.linger=50ms",
            ]
        }

        private static let credentials = CredentialTests.environment([
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        ])

        /// A stopped cluster with rows in its spool.
        private func spooler() throws -> Cluster {
            let cluster = try Cluster(
                settings: ["workers=1", "local.fault_plan=f.toml"],
                files: ["f.toml": "[[fault]]\nkind = \"status\"\n"])
            #expect(try sendEach(Self.rowCount, "f7", to: cluster) == Self.rowCount)
            #expect(try cluster.stop() == 0)
            return cluster
        }

        /// It ends what it is given with these words, keeps its rows, and the spooler delivers them.
        private func expectTold(
            _ spooler: Cluster, _ endpoint: String, _ words: String, launcher: [String] = []
        ) throws {
            do {
                let lost = try Cluster(
                    settings: Self.settings(spooler, endpoint), environment: Self.credentials,
                    launcher: launcher)
                var last = ""
                let isTold = try eventually(within: 15) {
                    let status = try lost.status()
                    last = "\(status.shards[0].deliveryState): \(status.shards[0].lastError)"
                    return status.shards[0].deliveryState == "backing_off"
                        && status.shards[0].lastError.contains(words)
                        && status.ledger.spooled == Self.rowCount
                }
                #expect(isTold, "\(last)\n\(lost.logText)")
                #expect(try lost.stop() == 0)
            }
            try "".write(
                to: spooler.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            try spooler.start()
            try spooler.flush()
            #expect(try spooler.count("select count(distinct id) from events") == Self.rowCount)
            #expect(try spooler.count("select count(*) from events") == Self.rowCount)
        }

        @Test func `F7: nobody listens`() throws {
            try expectTold(
                try spooler(), "http://127.0.0.1:\(freePort())", "connection refused")
        }

        /// A socket whose queue is full takes no handshake any more: as a firewall that drops.
        @Test func `F7: nobody answers`() throws {
            let script = """
                import socket, sys, time
                hole = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=0)
                full = [socket.socket() for _ in range(8)]
                for one in full:
                    one.setblocking(False)
                    one.connect_ex(hole.getsockname())
                print("ready", flush=True)
                time.sleep(120)
                """
            let folder = TemporaryFolder()
            let (port, said) = (freePort(), folder.path + "/said")
            let hole = try SpawnedProcess(
                "python3", ["-c", script, "\(port)"], output: said, errors: said)
            defer { hole.endNow() }
            let isUp = eventually(within: 10) {
                (try? String(contentsOfFile: said, encoding: .utf8))?.contains("ready") == true
            }
            try #require(isUp)
            try expectTold(
                try spooler(), "http://127.0.0.1:\(port)",
                "cannot connect: no answer within 3000 ms")
        }

        /// In a network of its own, of which nothing leads outside.
        private static let alone = [
            "unshare", "-rn", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh",
        ]

        @Test(
            .enabled(
                if: UnreachableTests.isPossible, "this machine gives nobody a network of his own"),
            arguments: [
                ("http://192.0.2.1:9", "network is unreachable"),
                ("http://nobody.test:9", "nobody.test"),
            ])
        func `F7: no way there, and no such name`(endpoint: String, words: String) throws {
            try expectTold(try spooler(), endpoint, words, launcher: Self.alone)
        }

        @Test(.enabled(if: SmallDisk.isPossible, "this machine lets nobody mount"))
        func `F7: a name's first addresses are dead, and the last takes the rows`() throws {
            let spooler = try spooler()
            let moto = try Moto()
            try moto.makeStreams()
            let hosts = spooler.folder.appendingPathComponent("hosts")
            try "127.0.0.1 localhost\n::1 three.test\n127.0.0.2 three.test\n127.0.0.1 three.test\n"
                .write(to: hosts, atomically: true, encoding: .utf8)
            let port = moto.endpoint.split(separator: ":").last!
            let cluster = try Cluster(
                settings: Self.settings(spooler, "http://three.test:\(port)")
                    + ["firehose.stream=hydrant-{shard}"],
                environment: Self.credentials,
                launcher: [
                    "unshare", "-rm", "sh", "-c",
                    "mount --bind \(hosts.path) /etc/hosts && exec \"$@\"", "sh",
                ])
            try cluster.flush()
            let status = try cluster.status()
            #expect(status.ledger.delivered == Self.rowCount && status.ledger.closes)
            #expect(status.counters["firehose_calls_failed"] == 0)
            let ids = try moto.rows("id")
            #expect(ids.count == Self.rowCount && Set(ids).count == Self.rowCount)
        }

        static let isPossible: Bool = {
            let tried = try? run("unshare", ["-rn", "ip", "link", "set", "lo", "up"])
            return tried?.status == 0
        }()
    }
}
