import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// Workers that are given no key pair: they find one, renew it, or wait for it.
    @Suite struct CredentialTests {
        /// Where a cluster in mode aws looks; nothing of this machine's own.
        static func environment(_ more: [String: String]) -> [String: String] {
            [
                "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
                "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_ENDPOINT_URL": "",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
            ].merging(more) { $1 }
        }

        static func settings(_ endpoint: String) -> [String] {
            [
                "delivery.mode=aws", "firehose.endpoint_url=\(endpoint)", "delivery.linger=200ms",
                "workers=2",
            ]
        }

        // MARK: moto, which knows nothing of Hydrant

        private func moto() throws -> Moto {
            let moto = try Moto()
            try moto.makeStreams()
            return moto
        }

        private func expectRows(_ count: Int, in moto: Moto) throws {
            let ids = try moto.rows("id")
            #expect(ids.count == count && Set(ids).count == count)
        }

        private func deliver(_ cluster: Cluster, _ hits: Int) throws {
            let load = try run(
                "h2load",
                ["--h1", "-n", "\(hits)", "-c", "8", cluster.pixel + "?event=moto&uid=3"])
            #expect(load.stdout.contains("\(hits) succeeded"))
            try cluster.flush()
        }

        @Test func `workers deliver as the role of moto's instance metadata`() throws {
            let moto = try moto()
            defer { withExtendedLifetime(moto) {} }
            let endpoint = moto.endpoint
            let cluster = try Cluster(
                settings: Self.settings(endpoint),
                environment: Self.environment([
                    "AWS_EC2_METADATA_DISABLED": "false",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint,
                ]))
            try deliver(cluster, 1000)
            try expectRows(1000, in: moto)
            let shown = try cluster.hydrant(["credentials", "--json"] + cluster.finding)
            #expect(shown.stdout.contains(#""source":"instance-metadata""#), "\(shown.stdout)")
            #expect(shown.stdout.contains("default-role") && shown.stdout.contains("…-key"))
            #expect(!(shown.stdout + cluster.logText).contains("test-secret-key"))
            #expect(!(shown.stdout + cluster.logText).contains("test-session-token"))
        }

        @Test func `workers deliver as a role that moto's STS gives for a web identity`() throws {
            let moto = try moto()
            defer { withExtendedLifetime(moto) {} }
            let endpoint = moto.endpoint
            let cluster = try Cluster(
                settings: Self.settings(endpoint), files: ["token": "a.web.token"],
                environment: Self.environment([
                    "AWS_WEB_IDENTITY_TOKEN_FILE": "token",
                    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/shop",
                    "AWS_ENDPOINT_URL_STS": endpoint,
                ]))
            try deliver(cluster, 1000)
            try expectRows(1000, in: moto)
            let shown = try cluster.hydrant(["credentials"] + cluster.finding)
            #expect(shown.stdout.contains("web identity"), "\(shown.stdout)\(shown.stderr)")
            #expect(shown.stdout.contains("123456789012") && shown.stdout.contains("(in "))
        }

        // MARK: Ends

        /// What Tests/Servers/metadata_server.py saw.
        private struct Report: Decodable {
            let issued, rows, distinct, calls, expired, unsigned, without_token: Int
            let metadata_calls: Int
        }

        @Test func `credentials that end and are revoked mid-run are replaced, and no row is lost`()
            throws
        {
            let folder = TemporaryFolder()
            let output = folder.path + "/port"
            let server = try SpawnedProcess(
                "python3",
                [
                    root.appendingPathComponent("Tests/Servers/metadata_server.py").path, "--life",
                    "12",
                ], output: output)
            defer { server.endNow() }
            var port: Substring?
            eventually(within: 15) {
                let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
                port = text.hasSuffix("\n") ? text.split(separator: "\n").first : nil
                return port != nil
            }
            let endpoint = "http://127.0.0.1:\(try #require(port))"
            func report() throws -> Report {
                let text = try run("curl", ["-sf", "\(endpoint)/report"]).stdout
                return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
            }
            let cluster = try Cluster(
                settings: Self.settings(endpoint),
                environment: Self.environment([
                    "AWS_EC2_METADATA_DISABLED": "false",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint,
                ]))
            func send(_ hits: Int) throws {
                let load = try run(
                    "h2load",
                    ["--h1", "-n", "\(hits)", "-c", "4", cluster.pixel + "?event=e&uid=3"])
                #expect(load.stdout.contains("\(hits) succeeded"))
            }
            // Two lives long: what ends is replaced before it does.
            for _ in 0..<24 {
                try send(50)
                usleep(1_000_000)
            }
            try cluster.flush()
            let ahead = try report()
            #expect(ahead.issued >= 2 && ahead.expired == 0 && ahead.unsigned == 0)
            #expect(ahead.rows == 1200 && ahead.distinct == 1200, "\(ahead)")
            // Revoked: one refusal a lane and worker or so, and then others.
            try run("curl", ["-sf", "\(endpoint)/revoke"])
            try send(300)
            let isDelivered = try eventually(within: 60) { try report().rows == 1500 }
            #expect(isDelivered, "\(cluster.logText.suffix(2000))")
            let after = try report()
            #expect(after.distinct == 1500 && after.rows == 1500)
            #expect((1...8).contains(after.expired), "no hot loop: \(after)")
            #expect(after.metadata_calls < 200, "\(after)")
            // The server knows of the last call before its answer is read.
            let isCounted = try eventually(within: 10) {
                try cluster.status().ledger.delivered == 1500
            }
            #expect(isCounted)
        }

        @Test func `without credentials a cluster starts, spools, says why, and delivers later`()
            throws
        {
            let moto = try moto()
            defer { withExtendedLifetime(moto) {} }
            let endpoint = moto.endpoint
            let home = TemporaryFolder()
            let path = home.path + "/credentials"
            let cluster = try Cluster(
                settings: Self.settings(endpoint),
                environment: Self.environment(["AWS_SHARED_CREDENTIALS_FILE": path]))
            let load = try run(
                "h2load", ["--h1", "-n", "200", "-c", "2", cluster.pixel + "?event=moto&uid=3"])
            #expect(load.stdout.contains("200 succeeded"))
            let isTold = try eventually(within: 10) {
                let status = try cluster.status()
                return status.ledger.spooled == 200
                    && status.shards.allSatisfy {
                        $0.deliveryState == "refused" && $0.lastError.contains("no credentials")
                    }
            }
            let told = try cluster.hydrant(["status"] + cluster.finding).stdout
            #expect(isTold, "\(told)")
            #expect(cluster.logText.contains("AWS_WEB_IDENTITY_TOKEN_FILE is not set"))
            let shown = try cluster.hydrant(["credentials"] + cluster.finding)
            #expect(shown.status == 78 && shown.stderr.contains("hint: export"), "\(shown.stderr)")
            try "[default]\naws_access_key_id = A\naws_secret_access_key = B\n".write(
                toFile: path, atomically: true, encoding: .utf8)
            let isDelivered = try eventually(within: 60) {
                try cluster.status().ledger.delivered == 200
            }
            #expect(isDelivered, "\(cluster.logText.suffix(2000))")
            try expectRows(200, in: moto)
        }
    }
}
