import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// The local Firehose's faults as Amazon's own client sees them, and a cluster that delivers
    /// through all of them; TLS as OpenSSL and boto3 see it.
    @Suite struct FaultPlanTests {
        private func credentials(_ cluster: Cluster) -> [String: String] {
            [
                "AWS_SHARED_CREDENTIALS_FILE": cluster.data.appendingPathComponent(
                    "local-credentials"
                ).path,
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
                "NO_PROXY": "127.0.0.1",
            ]
        }

        private func runPython(_ script: String, _ cluster: Cluster, _ words: [String]) throws
            -> Output
        {
            try script.write(
                to: cluster.folder.appendingPathComponent("script.py"), atomically: true,
                encoding: .utf8)
            return try run(
                python, ["script.py"] + words, in: cluster.folder,
                environment: credentials(cluster))
        }

        @Test func `boto3 sees errors, retries and failed records as of the real service`() throws {
            let cluster = try Cluster()
            let script = """
                import boto3, botocore.config, json, sys, urllib.request
                url = "http://127.0.0.1:%s" % sys.argv[1]
                def faults(*entries):
                    body = json.dumps({"fault": list(entries)}).encode()
                    urllib.request.urlopen(urllib.request.Request(url + "/_hydrant/faults", body, method="POST"))
                def fired():
                    return [f["fired"] for f in json.load(urllib.request.urlopen(url + "/_hydrant/faults"))["faults"]]
                config = botocore.config.Config(retries={"mode": "standard", "total_max_attempts": 3}, read_timeout=2)
                firehose = boto3.client("firehose", endpoint_url=url, config=config)
                def put(stream="hydrant-0"):
                    return firehose.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": b'{}\\n'}] * 3)
                def refused(code, attempts):
                    try:
                        put()
                        raise SystemExit("no " + code)
                    except botocore.exceptions.ClientError as e:
                        assert e.response["Error"]["Code"] == code, e.response
                        made = e.response["ResponseMetadata"]["RetryAttempts"]
                        assert made == attempts - 1, (code, made)
                # What the client retries, it gets through with.
                for kind in ["status", "throttle", "reset", "hang", "silence"]:
                    faults({"kind": kind, "count": 2})
                    answer = put()
                    assert answer["FailedPutCount"] == 0 and fired() == [2], (kind, fired())
                faults({"kind": "status"}); refused("ServiceUnavailableException", 3)
                faults({"kind": "throttle"}); refused("ThrottlingException", 3)
                for kind, code in [("expired_token", "ExpiredTokenException"), ("access_denied", "AccessDeniedException"),
                        ("unrecognized_client", "UnrecognizedClientException"), ("not_found", "ResourceNotFoundException")]:
                    faults({"kind": kind}); refused(code, 1)
                faults({"kind": "poison", "text": "{}"}); refused("ValidationException", 1)
                # Botocore does not learn the service's clock.
                faults({"kind": "skew", "offset": "-1h"}); refused("InvalidSignatureException", 1)
                faults({"kind": "partial", "entries": [1]})
                answer = put()
                assert answer["FailedPutCount"] == 1, answer
                assert [r.get("ErrorCode") for r in answer["RequestResponses"]] == [None, "ServiceUnavailableException", None]
                assert answer["RequestResponses"][1]["ErrorMessage"] == "Slow down."
                faults({"kind": "chunked"}); assert put()["FailedPutCount"] == 0
                faults({"kind": "drip", "bytes_per_second": 5000}); assert put()["FailedPutCount"] == 0
                faults({"kind": "close"}); put(); assert put()["FailedPutCount"] == 0
                faults({"kind": "quota", "records_per_second": 3})
                assert put()["FailedPutCount"] == 0
                assert put()["FailedPutCount"] >= 2
                print("fine")
                """
            let output = try runPython(script, cluster, ["\(cluster.localPort)"])
            #expect(output.stdout == "fine\n", "\(output.stdout)\(output.stderr)")
        }

        /// Answers take their time in each plan. An entry that is used up lets the next have its turn.
        private static let delay = "kind = \"delay\"\np50 = \"5ms\"\np99 = \"60ms\""
        /// All kinds. In four plans, and not in one: waits double with each failure in a row, and begin at
        /// 5 s where a person is to look, of which no plan has more than there are workers.
        private static let plans = [
            [
                "kind = \"unrecognized_client\"\ncount = 1", "kind = \"wrong_count\"\ncount = 1",
                "kind = \"results\"\ncount = 1",
                "kind = \"results\"\ndifference = 2\nstored = false\ncount = 1",
                "kind = \"status\"\ncount = 2", "kind = \"expired_token\"\ncount = 1",
                "kind = \"status\"\nstatus = 500\nstored = true\ncount = 1",
            ],
            [
                "kind = \"not_json\"\ncount = 1", "kind = \"html\"\nstored = false\ncount = 1",
                "kind = \"large_headers\"\ncount = 1", "kind = \"large_body\"\ncount = 1",
                "kind = \"partial\"\nwhich = \"random\"\nshare = 0.7\ncount = 3",
                "kind = \"partial\"\nwhich = \"all\"\ncount = 1",
                "kind = \"partial\"\nwhich = \"last\"\nstored = true\ncount = 1",
            ],
            [
                "kind = \"throttle\"\nafter = 2\ncount = 2", "kind = \"chunked\"\ncount = 3",
                "kind = \"drip\"\nbytes_per_second = 2000\ncount = 1",
                "kind = \"reset\"\ncount = 1", "kind = \"reset\"\nstored = false\ncount = 1",
                "kind = \"reset\"\nat = \"request\"\ncount = 2", "kind = \"close\"\ncount = 2",
            ],
            [
                "kind = \"skew\"\noffset = \"-10m\"\nstart = \"1s\"\ncount = 2",
                "kind = \"silence\"\ncount = 1", "kind = \"hang\"\nstored = true\ncount = 1",
            ],
        ]

        @Test func `a cluster delivers through plans of everything, and loses nothing`() throws {
            let cluster = try Cluster(
                settings: [
                    "local.fault_plan=faults.toml", "delivery.linger=50ms", "workers=4",
                ],
                files: [:], start: false)
            for (index, plan) in Self.plans.enumerated() {
                let entries = [Self.delay] + plan
                try ("seed = 5\n" + entries.map { "\n[[fault]]\n\($0)\n" }.joined()).write(
                    to: cluster.folder.appendingPathComponent("faults.toml"), atomically: true,
                    encoding: .utf8)
                if index == 0 {
                    try cluster.start()
                } else {
                    let set = try cluster.hydrant(
                        ["faults", "set", "faults.toml"] + cluster.finding)
                    #expect(set.status == 0, "\(set.stderr)")
                }
                try deliverThrough(entries.count, "plan-\(index)", cluster)
            }
        }

        /// Every entry has its turn: what is left of them meets another load, and loses nothing of it either.
        private func deliverThrough(_ entryCount: Int, _ name: String, _ cluster: Cluster) throws {
            let sent = try underLoad(cluster, seconds: 3, name) {}
            #expect(sent.answered.count > 300 && sent.other.isEmpty, "\(sent.other)")
            try expectAllThere(cluster, sent)
            var idle = try idleFaults(cluster, of: entryCount)
            for round in 0..<4 where !idle.isEmpty {
                try expectAllThere(
                    cluster, try underLoad(cluster, seconds: 1, "\(name)-again-\(round)") {})
                idle = try idleFaults(cluster, of: entryCount)
            }
            #expect(idle.isEmpty, "\(idle)\n\(cluster.logText)")
        }

        private func idleFaults(_ cluster: Cluster, of entryCount: Int) throws -> [String] {
            let shown = try cluster.hydrant(["faults", "show", "--json"] + cluster.finding)
            let fired = shown.stdout.matches(of: #/"name":"(\w+ \d+)"[^}]*"fired":(\d+)/#)
            #expect(fired.count == entryCount)
            return fired.filter { $0.2 == "0" }.map { String($0.1) }
        }

        @Test func `one stream that is gone stops its shard only`() throws {
            let cluster = try Cluster(settings: ["workers=2", "delivery.linger=50ms"])
            try "[[fault]]\nkind = \"not_found\"\nstreams = \"hydrant-1\"\n".write(
                to: cluster.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            let set = try cluster.hydrant(["faults", "set", "f.toml"] + cluster.finding)
            #expect(set.status == 0 && set.stdout.contains("not_found"), "\(set.stderr)")
            try sendEach(400, "gone", to: cluster)
            #expect(
                try eventually(within: 20) {
                    let count = try cluster.count("select count(*) from events")
                    return count > 100 && count < 300
                })
            // By its data folder alone, which is the usual one of the folder it is in.
            let shown = try cluster.hydrant("faults")
            #expect(shown.stdout.contains("not_found"), "\(shown.stderr)")
            let cleared = try cluster.hydrant(["faults", "clear"] + cluster.finding)
            #expect(cleared.stdout == "no faults\n", "\(cleared.stderr)")
            try cluster.flush()
            #expect(try cluster.count("select count(distinct id) from events") == 400)
        }

        @Test func `a plan that cannot be read keeps the cluster from starting`() throws {
            let cluster = try Cluster(settings: ["local.fault_plan=f.toml"], start: false)
            try "[[fault]]\nkind = \"hangs\"\n".write(
                to: cluster.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            let output = try cluster.hydrant(["check"] + cluster.finding)
            #expect(
                output.status == 78 && output.stderr.contains("f.toml:2:1: error: kind must be"))
            #expect(output.stderr.contains("did you mean \"hang\"?"))
        }

        // MARK: TLS

        private func tlsCluster(
            _ certificate: String, _ key: String, start: Bool = true
        ) throws -> Cluster {
            try Cluster(
                settings: [
                    "local.tls_certificate=\(certificate)", "local.tls_key=\(key)",
                    "delivery.linger=50ms",
                ], start: start)
        }

        @Test func `workers deliver over TLS, and OpenSSL and boto3 believe the certificate`()
            throws
        {
            let certificates = try TestCertificates()
            let pair = try certificates.server()
            let cluster = try tlsCluster(pair.certificate, pair.key)
            try sendEach(500, "tls", to: cluster)
            try cluster.flush()
            #expect(try cluster.count("select count(distinct id) from events") == 500)
            for version in ["-tls1_2", "-tls1_3"] {
                let shaken = try run(
                    "sh",
                    [
                        "-c",
                        "printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | "
                            + "openssl s_client -connect 127.0.0.1:\(cluster.localPort) \(version) "
                            + "-alpn h2,http/1.1 -verify_ip 127.0.0.1 -verify_return_error -ign_eof "
                            + "-CAfile \(certificates.authority.certificate) 2>&1",
                    ], in: cluster.folder)
                #expect(shaken.stdout.contains("Verification: OK"), "\(shaken.stdout)")
                #expect(shaken.stdout.contains("ALPN protocol: http/1.1"))
                #expect(shaken.stdout.contains("Hydrant's local Firehose"))
            }
            let old = try run(
                "openssl",
                ["s_client", "-connect", "127.0.0.1:\(cluster.localPort)", "-tls1_1"],
                in: cluster.folder)
            #expect(old.status != 0)
            let script = """
                import boto3, sys
                firehose = boto3.client("firehose", endpoint_url="https://127.0.0.1:" + sys.argv[1], verify=sys.argv[2])
                data = b"".join(b'{"id":"%036d","event":"boto","received_at":"2026-01-02 03:04:05"}\\n' % i for i in range(10000))
                answer = firehose.put_record_batch(DeliveryStreamName="hydrant-0", Records=[{"Data": data}] * 3)
                assert answer["FailedPutCount"] == 0, answer
                print("fine")
                """
            let output = try runPython(
                script, cluster, ["\(cluster.localPort)", certificates.authority.certificate])
            #expect(output.stdout == "fine\n", "\(output.stdout)\(output.stderr)")
        }

        @Test func `a certificate or key that will not do is told at start, with file and remedy`()
            throws
        {
            let certificates = try TestCertificates()
            let (pair, other) = (try certificates.server(), try certificates.server("other"))
            func check(_ certificate: String, _ key: String) throws -> Output {
                let cluster = try tlsCluster(certificate, key, start: false)
                return try cluster.hydrant(["check"] + cluster.finding)
            }
            chmod(pair.key, 0o600)
            let good = try check(pair.certificate, pair.key)
            #expect(good.status == 0 && !good.stderr.contains("key"), "\(good.stderr)")
            chmod(pair.key, 0o644)
            let open = try check(pair.certificate, pair.key)
            #expect(open.status == 0 && open.stderr.contains("hint: chmod 600 \(pair.key)"))
            let mixed = try check(pair.certificate, other.key)
            #expect(mixed.status == 78 && mixed.stderr.contains(other.key), "\(mixed.stderr)")
            let none = try check("/nonexistent/c.pem", pair.key)
            #expect(none.status == 78 && none.stderr.contains("/nonexistent/c.pem"))
            let half = try check("", pair.key)
            #expect(half.status == 78 && half.stderr.contains("go together"), "\(half.stderr)")
            let old = try certificates.server("old", days: -1)
            #expect(try check(old.certificate, old.key).stderr.contains("has expired"))
        }
    }
}
