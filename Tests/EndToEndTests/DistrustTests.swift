import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// Servers that cannot prove to be Firehose: a worker says who and why, and keeps its rows.
    @Suite struct DistrustTests {
        enum Flaw: String, CaseIterable {
            case expired = "certificate has expired"
            case wrongHost = "hostname mismatch"
            case selfSigned = "self-signed certificate"
            case unknownAuthority = "unable to get local issuer certificate"

            /// What the server shows, and whom the worker believes.
            func make(
                _ certificates: TestCertificates, _ strangers: TestCertificates
            ) throws -> (pair: TestCertificates.Pair, believed: String) {
                let ours = certificates.authority.certificate
                return switch self {
                case .expired: (try certificates.server("old", days: -1), ours)
                case .wrongHost: (try certificates.server("other", for: "DNS:other.test"), ours)
                case .selfSigned: (try certificates.alone("alone"), ours)
                case .unknownAuthority:
                    (try certificates.server(), strangers.authority.certificate)
                }
            }
        }

        private func expectRefused(
            _ cluster: Cluster, _ reason: String, by host: String, rows: Int
        ) throws {
            var last = ""
            let isRefused = try eventually(within: 20) {
                let status = try cluster.status()
                last =
                    "\(status.ledger) \(status.shards[0].deliveryState): \(status.shards[0].lastError)"
                return status.shards[0].deliveryState == "refused" && status.ledger.spooled == rows
                    && status.shards[0].lastError.contains(host)
                    && status.shards[0].lastError.contains(reason)
            }
            #expect(isRefused, "\(last)")
            #expect(cluster.logText.contains(reason) && cluster.logText.contains(host))
            #expect(cluster.logText.contains("firehose.ca_file"), "the remedy")
        }

        @Test
        func
            `authorities that cannot be used are refused by check and reload, and nothing changes`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1"])
            for (file, text) in [("none.pem", nil), ("empty.pem", "no certificate\n")]
                as [(String, String?)]
            {
                try text?.write(
                    to: cluster.folder.appendingPathComponent(file), atomically: true,
                    encoding: .utf8)
                try "[firehose]\nca_file = \"\(file)\"\n".write(
                    to: cluster.folder.appendingPathComponent("hydrant.toml"), atomically: true,
                    encoding: .utf8)
                for command in ["check", "reload"] {
                    let done = try cluster.hydrant([command] + cluster.finding)
                    #expect(done.status == 78, "\(command): \(done.stdout)\(done.stderr)")
                    #expect(done.stderr.contains(file) && done.stderr.contains("firehose.ca_file"))
                }
                #expect(try sendEach(10, "on", to: cluster) == 10)
            }
        }

        @Test(arguments: Flaw.allCases)
        func `openssl's server gets no row, is named with the reason, and the spool keeps all`(
            flaw: Flaw
        ) throws {
            let (certificates, strangers) = (try TestCertificates(), try TestCertificates())
            let (pair, believed) = try flaw.make(certificates, strangers)
            let port = freePort()
            let heard = certificates.folder.appendingPathComponent("heard")
            let server = try SpawnedProcess(
                "openssl",
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", pair.certificate, "-key",
                    pair.key,
                ],
                // It leaves at the end of its input.
                input: "/dev/zero", output: heard.path, errors: heard.path)
            defer { server.endNow() }
            let isUp = try eventually(within: 10) {
                try String(contentsOf: heard, encoding: .utf8).contains("ACCEPT")
            }
            try #require(isUp)
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=https://localhost:\(port)",
                    "firehose.ca_file=\(believed)", "firehose.region=us-east-1",
                    "delivery.linger=50ms", "workers=1",
                ],
                environment: CredentialTests.environment([
                    "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
                ]))
            #expect(try sendEach(50, "distrust", to: cluster) == 50)
            try expectRefused(cluster, flaw.rawValue, by: "localhost:\(port)", rows: 50)
            #expect(try cluster.stop() == 0)
            let said = try String(contentsOf: heard, encoding: .utf8)
            #expect(!said.contains("PutRecordBatch") && !said.contains("POST / "))
        }

        @Test(arguments: Flaw.allCases)
        func `the local Firehose is not believed either, until its certificate is mended`(
            flaw: Flaw
        ) throws {
            let (certificates, strangers) = (try TestCertificates(), try TestCertificates())
            let (pair, believed) = try flaw.make(certificates, strangers)
            let (shown, key) = ("shown.pem", "shown.key")
            let cluster = try Cluster(
                settings: [
                    "local.tls_certificate=\(shown)", "local.tls_key=\(key)",
                    "firehose.ca_file=believed.pem", "delivery.linger=50ms", "workers=1",
                ], start: false)
            func copy(_ path: String, _ name: String) throws {
                try Data(contentsOf: URL(fileURLWithPath: path))
                    .write(to: cluster.folder.appendingPathComponent(name))
            }
            try copy(pair.certificate, shown)
            try copy(pair.key, key)
            try copy(believed, "believed.pem")
            try cluster.start()
            #expect(try sendEach(50, "distrust", to: cluster) == 50)
            // It is called by its address, and no name is for that.
            try expectRefused(
                cluster, flaw == .wrongHost ? "IP address mismatch" : flaw.rawValue,
                by: "127.0.0.1:\(cluster.localPort)", rows: 50)

            let good = try certificates.server("good")
            try copy(good.certificate, shown)
            try copy(good.key, key)
            try copy(certificates.authority.certificate, "believed.pem")
            let reloaded = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(reloaded.status == 0, "\(reloaded.stderr)")
            try cluster.flush()
            #expect(try cluster.count("select count(distinct id) from events") == 50)
        }
    }
}
