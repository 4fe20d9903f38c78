import Foundation
import TestSupport
import Testing

/// A moto server: Firehose, S3, IAM, STS and instance metadata of somebody else's making.
final class Moto {
    let endpoint: String
    private let process: SpawnedProcess

    struct KeyPair {
        let id: String
        let secret: String
        /// As a profile file.
        var file: String {
            "[default]\naws_access_key_id = \(id)\naws_secret_access_key = \(secret)\n"
        }
    }

    init() throws {
        let port = freePort()
        process = try SpawnedProcess(
            python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"])
        endpoint = "http://127.0.0.1:\(port)"
        let isUp = try eventually(within: 30) {
            try run("curl", ["-sf", "-o", "/dev/null", "\(endpoint)/moto-api/"]).status == 0
        }
        try #require(isUp, "moto did not start")
    }

    deinit { process.endNow() }

    /// Runs a script for which `c("s3")` is boto3's client, and returns what it prints.
    @discardableResult
    func script(_ text: String) throws -> String {
        let prelude = """
            import boto3, json, sys
            def c(name): return boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1",
                aws_access_key_id="x", aws_secret_access_key="x")

            """
        let done = try run(python, ["-c", prelude + text, endpoint])
        try #require(done.status == 0, "\(done.stderr)")
        return done.stdout
    }

    /// The streams of two workers, into the bucket "pixels".
    func makeStreams() throws {
        try script(
            """
            c("s3").create_bucket(Bucket="pixels")
            for s in ("hydrant-0", "hydrant-1", "hydrant-bad-0", "hydrant-bad-1"):
                c("firehose").create_delivery_stream(DeliveryStreamName=s, DeliveryStreamType="DirectPut",
                    ExtendedS3DestinationConfiguration=dict(RoleARN="arn:aws:iam::123456789012:role/fh",
                        BucketARN="arn:aws:s3:::pixels", Prefix=s + "/"))
            """)
    }

    /// From now on a call must be signed, with this pair and rightly: botocore computes the signature
    /// anew and compares.
    func checkSignatures() throws -> KeyPair {
        let words = try script(
            """
            iam = c("iam")
            iam.create_user(UserName="hydrant")
            key = iam.create_access_key(UserName="hydrant")["AccessKey"]
            iam.put_user_policy(UserName="hydrant", PolicyName="put", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "firehose:PutRecord*", "Resource": "*"}]}))
            print(key["AccessKeyId"], key["SecretAccessKey"])
            """
        ).split(whereSeparator: \.isWhitespace)
        try setChecking("0")
        return KeyPair(id: String(words[0]), secret: String(words[1]))
    }

    func acceptAnySignature() throws { try setChecking("inf") }

    private func setChecking(_ freeActions: String) throws {
        let done = try run(
            "curl",
            [
                "-sf", "-X", "POST", "-H", "Content-Type: text/plain", "-d", freeActions,
                "\(endpoint)/moto-api/reset-auth",
            ])
        try #require(done.status == 0)
    }

    /// A field of every row in the bucket, as boto3 reads it back.
    func rows(_ field: String) throws -> [String] {
        try script(
            """
            for page in c("s3").get_paginator("list_objects_v2").paginate(Bucket="pixels"):
                for o in page.get("Contents", []):
                    for line in c("s3").get_object(Bucket="pixels", Key=o["Key"])["Body"].read().splitlines():
                        print(json.loads(line)["\(field)"])
            """
        ).split(separator: "\n").map(String.init)
    }
}
