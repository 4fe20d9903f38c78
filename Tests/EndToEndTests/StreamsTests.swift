import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// `hydrant streams` against the local Firehose, and against moto, which knows nothing of it.
    @Suite struct StreamsTests {
        private static let making = [
            "--role-arn", "arn:aws:iam::123456789012:role/fh", "--bucket-arn",
            "arn:aws:s3:::pixels",
        ]

        @Test
        func `the local Firehose has the configured streams, and gets those that are missing`()
            throws
        {
            let cluster = try Cluster()
            let here = try cluster.hydrant(["streams", "check"] + cluster.finding)
            #expect(here.status == 0, "\(here.stdout)\(here.stderr)")
            #expect(here.stdout.contains("ok: 4 streams can take rows"))

            let more = cluster.finding + ["--set", "firehose.shard_offset=8"]
            let missing = try cluster.hydrant(["streams", "check"] + more)
            #expect(missing.status == 1)
            #expect(missing.stdout.contains("problem: hydrant-8 is not in region us-east-1"))

            let unasked = try cluster.hydrant(["streams", "create"] + Self.making + more)
            #expect(unasked.status == 1)
            #expect(unasked.stderr.contains("say --yes"))

            let made = try cluster.hydrant(["streams", "create", "--yes"] + Self.making + more)
            #expect(made.status == 0, "\(made.stdout)\(made.stderr)")
            #expect(made.stdout.contains("hydrant-bad-9: creation has begun"))
            let again = try cluster.hydrant(["streams", "create", "--yes"] + Self.making + more)
            #expect(again.status == 0)
            #expect(again.stdout.contains("hydrant-8: exists (ACTIVE), left as it is"))
            #expect(again.stdout.contains("nothing to create"))
        }

        @Test func `without a cluster or a Firehose it says what is missing`() throws {
            let cluster = try Cluster(start: false)
            let stopped = try cluster.hydrant(["streams", "check"] + cluster.finding)
            #expect(stopped.status == 69)
            #expect(stopped.stderr.contains("no key pair of the local Firehose"))
        }

        @Test func `each try that has no answer is told of, and the last names the remedy`() throws
        {
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:1",
                    "firehose.region=eu-west-1",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"],
                start: false)
            let check = try cluster.hydrant(["streams", "check"] + cluster.finding)
            #expect(check.status == 69)
            let lines = check.stderr.split(separator: "\n")
            for attempt in 1...4 {
                #expect(
                    lines.count { $0.hasPrefix("try \(attempt) of 5: ") } == 1, "\(check.stderr)")
            }
            #expect(check.stderr.contains("error: no answer of Firehose: "))
            #expect(check.stderr.contains("hint: try again; if it stays so, check the network"))
        }

        @Test func `in moto streams are made for S3 and for Redshift, and wrong ones are found`()
            throws
        {
            let moto = try Moto()
            defer { withExtendedLifetime(moto) {} }
            let endpoint = moto.endpoint
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=\(endpoint)",
                    "firehose.region=eu-west-1", "workers=1",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"],
                start: false)
            let finding = cluster.finding

            let s3 = try cluster.hydrant(["streams", "create", "--yes"] + Self.making + finding)
            #expect(s3.status == 0, "\(s3.stdout)\(s3.stderr)")
            #expect(s3.stdout.contains("hydrant-0      good  ACTIVE  s3://pixels/hydrant-0/"))

            let offset = ["--set", "firehose.shard_offset=1"]
            let redshift = try cluster.hydrant(
                [
                    "streams", "create", "-y", "--jdbc-url", "jdbc:redshift://h:5439/d", "--user",
                    "u",
                    "--password-file", "secret",
                ] + Self.making + finding + offset)
            #expect(redshift.stderr.contains("secret"), "a missing password file is named")
            try "pass\n".write(
                to: cluster.folder.appendingPathComponent("secret"), atomically: true,
                encoding: .utf8)
            let made = try cluster.hydrant(
                [
                    "streams", "create", "-y", "--jdbc-url", "jdbc:redshift://h:5439/d", "--user",
                    "u",
                    "--password-file", "secret",
                ] + Self.making + finding + offset)
            #expect(made.status == 0, "\(made.stdout)\(made.stderr)")
            #expect(made.stdout.contains("Redshift events by s3://pixels/hydrant-1/"))
            #expect(made.stdout.contains("Redshift bad_events by s3://pixels/hydrant-bad-1/"))

            let wrong = """
                import boto3, sys
                c = boto3.client("firehose", endpoint_url=sys.argv[1], region_name="eu-west-1",
                    aws_access_key_id="x", aws_secret_access_key="x")
                s3 = dict(RoleARN="arn:aws:iam::123456789012:role/fh", BucketARN="arn:aws:s3:::pixels")
                c.create_delivery_stream(DeliveryStreamName="hydrant-2", ExtendedS3DestinationConfiguration=s3)
                c.create_delivery_stream(DeliveryStreamName="hydrant-bad-2", HttpEndpointDestinationConfiguration=dict(
                    EndpointConfiguration=dict(Url="https://example.org/"), S3Configuration=s3))
                """
            let python = try run(python, ["-c", wrong, endpoint])
            #expect(python.status == 0, "\(python.stderr)")
            let check = try cluster.hydrant(
                ["streams", "check"] + finding + ["--set", "firehose.shard_offset=2"])
            #expect(check.status == 1)
            #expect(check.stdout.contains("warning: hydrant-2 writes objects without GZIP"))
            #expect(
                check.stdout.contains(
                    "problem: hydrant-bad-2 writes to HttpEndpoint, not to Redshift or S3"),
                "\(check.stdout)")
            let json = try cluster.hydrant(
                ["streams", "check", "--json", "--set", "firehose.stream=hydrant-2"] + finding
                    + ["--set", "workers=3", "--set", "firehose.bad_stream=hydrant-bad-0"])
            let report = try JSONSerialization.jsonObject(with: Data(json.stdout.utf8))
            let streams = (report as? [String: Any])?["streams"] as? [[String: Any]] ?? []
            #expect(streams.map { $0["workers"] as? Int } == [3, 3])
            #expect(json.stdout.contains("is shared by 3 workers"))
        }
    }
}
