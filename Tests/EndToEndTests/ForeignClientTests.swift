import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// The local Firehose, spoken to by Amazon's own clients; and the workers, listened to by moto.
    @Suite struct ForeignClientTests {
        private func credentials(_ cluster: Cluster) -> [String: String] {
            [
                "AWS_SHARED_CREDENTIALS_FILE": cluster.data.appendingPathComponent(
                    "local-credentials"
                ).path,
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            ]
        }

        @Test func `boto3 puts a batch, and its rows are in the warehouse`() throws {
            let cluster = try Cluster()
            let script = """
                import boto3, json, sys
                firehose = boto3.client("firehose", endpoint_url="http://127.0.0.1:%s" % sys.argv[1])
                rows = [{"id": "%036d" % i, "event": "boto", "received_at": "2026-01-02 03:04:05"} for i in range(1000)]
                data = ["".join(json.dumps(r) + "\\n" for r in rows[i:i + 10]).encode() for i in range(0, 1000, 10)]
                answer = firehose.put_record_batch(DeliveryStreamName="hydrant-0", Records=[{"Data": d} for d in data])
                assert answer["FailedPutCount"] == 0, answer
                assert len(answer["RequestResponses"]) == 100
                assert all(r["RecordId"] for r in answer["RequestResponses"])
                one = firehose.put_record(DeliveryStreamName="hydrant-0", Record={"Data": b'{"id":"x","event":"one","received_at":"2026-01-02 03:04:05"}\\n'})
                assert one["RecordId"]
                try:
                    firehose.put_record_batch(DeliveryStreamName="nobody", Records=[{"Data": b"x"}])
                    raise SystemExit("an unknown stream took records")
                except firehose.exceptions.ResourceNotFoundException:
                    pass
                firehose.create_delivery_stream(DeliveryStreamName="mine", DeliveryStreamType="DirectPut",
                    ExtendedS3DestinationConfiguration=dict(RoleARN="arn:aws:iam::123456789012:role/fh",
                        BucketARN="arn:aws:s3:::mine", CompressionFormat="GZIP"))
                firehose.put_record(DeliveryStreamName="mine", Record={"Data": b"kept\\n"})
                print("fine")
                """
            try script.write(
                to: cluster.folder.appendingPathComponent("put.py"), atomically: true,
                encoding: .utf8)
            let output = try run(
                python, ["put.py", "\(cluster.localPort)"], in: cluster.folder,
                environment: credentials(cluster))
            #expect(output.stdout == "fine\n", "\(output.stdout)\(output.stderr)")
            try cluster.flush()
            #expect(try cluster.count("select count(*) from events where event = 'boto'") == 1000)
            #expect(try cluster.count("select count(*) from events where event = 'one'") == 1)
            let kept = try run(
                "sh", ["-c", "find var/s3 -name 'mine-*.gz' | xargs zcat"], in: cluster.folder)
            #expect(kept.stdout == "kept\n")
        }

        @Test func `a wrong secret and an altered body are refused`() throws {
            let cluster = try Cluster()
            let script = """
                import boto3, botocore, sys
                def client(key, secret):
                    return boto3.client("firehose", endpoint_url="http://127.0.0.1:%s" % sys.argv[1],
                        aws_access_key_id=key, aws_secret_access_key=secret)
                session = boto3.Session().get_credentials()
                for key, secret in ((session.access_key, "wrong"), ("AKIAUNKNOWN", "wrong")):
                    try:
                        client(key, secret).put_record(DeliveryStreamName="hydrant-0", Record={"Data": b"x\\n"})
                        raise SystemExit("taken")
                    except botocore.exceptions.ClientError as e:
                        print(e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
                altered = client(session.access_key, session.secret_key)
                def alter(request, **kw): request.body = request.body.replace(b"hydrant-0", b"hydrant-1")
                altered.meta.events.register("before-send.firehose.*", alter)
                try:
                    altered.put_record(DeliveryStreamName="hydrant-0", Record={"Data": b"x\\n"})
                    raise SystemExit("taken")
                except botocore.exceptions.ClientError as e:
                    print(e.response["Error"]["Code"])
                """
            try script.write(
                to: cluster.folder.appendingPathComponent("wrong.py"), atomically: true,
                encoding: .utf8)
            let output = try run(
                python, ["wrong.py", "\(cluster.localPort)"], in: cluster.folder,
                environment: credentials(cluster))
            #expect(output.lines.count == 3, "\(output.stdout)\(output.stderr)")
            #expect(output.lines.first?.hasPrefix("InvalidSignatureException") == true)
            #expect(
                output.lines.dropFirst().first?.hasPrefix("UnrecognizedClientException") == true)
            #expect(output.lines.last == "InvalidSignatureException")
        }

        @Test func `the AWS CLI lists and describes the streams`() throws {
            let cluster = try Cluster()
            func aws(_ arguments: String...) throws -> [String: Any] {
                let output = try run(
                    root.appendingPathComponent(".venv-test/bin/aws").path,
                    [
                        "--endpoint-url", "http://127.0.0.1:\(cluster.localPort)", "--output",
                        "json",
                        "firehose",
                    ] + arguments, in: cluster.folder, environment: credentials(cluster))
                #expect(output.status == 0, "\(output.stderr)")
                return try JSONSerialization.jsonObject(with: Data(output.stdout.utf8))
                    as? [String: Any] ?? [:]
            }
            let names = try aws("list-delivery-streams")["DeliveryStreamNames"] as? [String]
            #expect(
                Set(names ?? [])
                    == ["hydrant-0", "hydrant-1", "hydrant-bad-0", "hydrant-bad-1"])
            let description = try aws(
                "describe-delivery-stream", "--delivery-stream-name", "hydrant-1")
            let inner = description["DeliveryStreamDescription"] as? [String: Any]
            #expect(inner?["DeliveryStreamStatus"] as? String == "ACTIVE")
            #expect(inner?["DeliveryStreamName"] as? String == "hydrant-1")
        }

        /// moto's Firehose, an implementation that knows nothing of this one, checks the signatures and
        /// stores the rows.
        @Test func `rows reach moto in mode aws, each once`() throws {
            let port = freePort()
            let moto = try SpawnedProcess(
                python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"])
            defer { moto.endNow() }
            let endpoint = "http://127.0.0.1:\(port)"
            let isUp = try eventually(within: 20) {
                try run("curl", ["-sf", "-o", "/dev/null", "\(endpoint)/moto-api/"]).status == 0
            }
            #expect(isUp, "moto did not start")
            let setUp = """
                import boto3, sys
                def c(name): return boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1",
                    aws_access_key_id="x", aws_secret_access_key="x")
                c("s3").create_bucket(Bucket="pixels")
                for s in ("hydrant-0", "hydrant-1", "hydrant-bad-0", "hydrant-bad-1"):
                    c("firehose").create_delivery_stream(DeliveryStreamName=s, DeliveryStreamType="DirectPut",
                        ExtendedS3DestinationConfiguration=dict(RoleARN="arn:aws:iam::123456789012:role/fh",
                            BucketARN="arn:aws:s3:::pixels", Prefix=s + "/"))
                iam = c("iam")
                iam.create_user(UserName="hydrant")
                iam.put_user_policy(UserName="hydrant", PolicyName="p", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"firehose:PutRecord*","Resource":"*"}]}')
                key = iam.create_access_key(UserName="hydrant")["AccessKey"]
                print(key["AccessKeyId"], key["SecretAccessKey"])
                """
            let keys = try run(python, ["-c", setUp, endpoint])
            let words = keys.stdout.split { $0 == " " || $0 == "\n" }
            try #require(words.count == 2, "\(keys.stderr)")
            let checking = try run(
                "curl",
                [
                    "-sf", "-X", "POST", "-H", "Content-Type: text/plain", "-d", "0",
                    "\(endpoint)/moto-api/reset-auth",
                ])
            #expect(checking.status == 0)

            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=\(endpoint)",
                    "delivery.linger=200ms",
                ],
                environment: [
                    "AWS_ACCESS_KEY_ID": String(words[0]),
                    "AWS_SECRET_ACCESS_KEY": String(words[1]),
                ])
            let load = try run(
                "h2load", ["--h1", "-n", "3000", "-c", "8", cluster.pixel + "?event=moto&uid=3"])
            #expect(load.stdout.contains("3000 succeeded"))
            _ = try cluster.get("/p.gif?no=event")
            try cluster.flush()
            try run(
                "curl",
                [
                    "-sf", "-X", "POST", "-H", "Content-Type: text/plain", "-d", "inf",
                    "\(endpoint)/moto-api/reset-auth",
                ])
            let readBack = """
                import boto3, json, sys
                s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
                rows = {"good": [], "bad": []}
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pixels"):
                    for o in page.get("Contents", []):
                        kind = "bad" if o["Key"].startswith("hydrant-bad") else "good"
                        rows[kind] += [json.loads(l) for l in s3.get_object(Bucket="pixels", Key=o["Key"])["Body"].read().splitlines()]
                print(len(rows["good"]), len(set(r["id"] for r in rows["good"])), len(rows["bad"]))
                """
            let counted = try run(python, ["-c", readBack, endpoint])
            #expect(counted.stdout == "3000 3000 1\n", "\(counted.stdout)\(counted.stderr)")
            #expect(try cluster.status().ledger.delivered == 3000)
        }
    }
}
