import Core
import Testing

private func describe(_ text: String) -> StreamDescription? {
    Array(text.utf8).withUnsafeBytes { StreamDescription(answer: $0) }
}

/// As the service writes it, a Redshift stream.
private let redshift = """
    {"DeliveryStreamDescription":{"CreateTimestamp":1.7E9,"DeliveryStreamARN":\
    "arn:aws:firehose:eu-west-1:123456789012:deliverystream/hydrant-0",\
    "DeliveryStreamEncryptionConfiguration":{"Status":"ENABLED","KeyType":"AWS_OWNED_CMK"},\
    "DeliveryStreamName":"hydrant-0","DeliveryStreamStatus":"ACTIVE",\
    "DeliveryStreamType":"DirectPut","Destinations":[{"DestinationId":"destinationId-000000000001",\
    "RedshiftDestinationDescription":{"ClusterJDBCURL":"jdbc:redshift://h:5439/d",\
    "CopyCommand":{"CopyOptions":"FORMAT AS JSON 'auto' GZIP MAXERROR 100000",\
    "DataTableColumns":"id, event","DataTableName":"public.events"},\
    "S3DestinationDescription":{"BucketARN":"arn:aws:s3:::px","BufferingHints":\
    {"IntervalInSeconds":300,"SizeInMBs":64},"CompressionFormat":"GZIP","Prefix":"hydrant-0/"},\
    "ProcessingConfiguration":null}}],"HasMoreDestinations":false,"VersionId":"3"}}
    """

/// As moto and the local Firehose write it: the extended destination and its plain part.
private let s3 = """
    {"DeliveryStreamDescription": {"DeliveryStreamName": "hydrant-0", "DeliveryStreamARN": \
    "arn:aws:firehose:eu-west-1:1:deliverystream/hydrant-0", "DeliveryStreamStatus": "ACTIVE", \
    "Destinations": [{"DestinationId": "d", "ExtendedS3DestinationDescription": {"BucketARN": \
    "arn:aws:s3:::px", "Prefix": "a/"}, "S3DestinationDescription": {"BucketARN": "other", \
    "CompressionFormat": "Snappy"}}]}}
    """

@Suite struct StreamDescriptionTests {
    @Test func `a Redshift stream is read with its bucket and its COPY`() throws {
        let it = try #require(describe(redshift))
        #expect(it.region == "eu-west-1")
        #expect(it.account == "123456789012")
        #expect(it.status == "ACTIVE")
        #expect(it.versionID == "3")
        #expect(it.encryption == "ENABLED")
        let destination = try #require(it.destination)
        #expect(destination.kind == .redshift)
        #expect(destination.table == "public.events")
        #expect(destination.columns == "id, event")
        #expect(destination.compression == "GZIP")
        #expect(destination.bucketARN == "arn:aws:s3:::px")
        #expect(destination.bufferMiB == 64)
        #expect(destination.bufferSeconds == 300)
    }

    @Test func `of an extended destination the plain part is left alone`() throws {
        let destination = try #require(describe(s3)?.destination)
        #expect(destination.kind == .s3)
        #expect(destination.bucketARN == "arn:aws:s3:::px")
        #expect(destination.compression == "UNCOMPRESSED")
    }

    @Test func `a destination of another kind is named`() throws {
        let it = try #require(
            describe(s3.replacing("ExtendedS3Dest", with: "SplunkDest")))
        #expect(it.destination?.kind == .other("Splunk"))
    }

    @Test func `why a stream failed is told`() throws {
        let failed = redshift.replacing(
            "\"VersionId\"",
            with: "\"FailureDescription\":{\"Type\":\"UNKNOWN_ERROR\",\"Details\":\"d\\u001b\"},"
                + "\"VersionId\"")
        #expect(describe(failed)?.failure == "UNKNOWN_ERROR: d ")
    }

    @Test(arguments: 0..<redshift.utf8.count)
    func `an answer that is cut anywhere is no stream`(cut: Int) {
        #expect(describe(String(redshift.prefix(cut))) == nil)
    }

    @Test(arguments: [
        "", "[]", "{}", "null", "<html>", "{\"DeliveryStreamDescription\":{}}",
        "{\"DeliveryStreamDescription\":[]}",
        "{\"DeliveryStreamDescription\":{\"Destinations\":{}}}",
    ])
    func `what is no description is none`(text: String) { #expect(describe(text) == nil) }
}

@Suite struct StreamCheckTests {
    private func check(
        _ text: String, workers: Int = 1, columns: [String] = ["id", "event"]
    ) throws -> StreamCheck {
        let wanted = StreamCheck.Wanted(
            name: "hydrant-0", rows: .good, region: "eu-west-1", workers: workers,
            table: "events", columns: columns)
        return StreamCheck(wanted, .stream(try #require(describe(text))))
    }

    @Test func `a stream that is as it should be gives nothing to say`() throws {
        #expect(try check(redshift).findings.isEmpty)
        #expect(try check(redshift).isReady)
    }

    @Test func `objects without GZIP on S3 are a warning with the command that mends it`() throws {
        let check = try check(s3)
        #expect(check.isReady)
        #expect(check.findings.map(\.gravity) == [.warning])
        #expect(
            check.findings[0].mend?.hasSuffix(
                "--destination-id d --extended-s3-destination-update CompressionFormat=GZIP")
                == true)
    }

    @Test func `compressed objects and a COPY that does not know it are a problem`() throws {
        let check = try check(redshift.replacing(" GZIP MAX", with: " MAX"))
        #expect(!check.isReady)
        #expect(
            check.findings.map(\.text) == [
                "CopyOptions lacks GZIP, and the objects are compressed: every load fails"
            ])
        #expect(
            check.findings[0].mend == """
                aws firehose update-destination --region eu-west-1 --delivery-stream-name hydrant-0 \
                --current-delivery-stream-version-id 3 --destination-id destinationId-000000000001 \
                --redshift-destination-update '{"CopyCommand":{"DataTableName":"public.events",\
                "DataTableColumns":"id,event","CopyOptions":"FORMAT AS JSON '\\''auto'\\'' GZIP \
                TIMEFORMAT '\\''auto'\\'' TRUNCATECOLUMNS MAXERROR 100000"}}'
                """)
    }

    @Test(arguments: [
        (
            "\"CompressionFormat\":\"GZIP\"", "\"CompressionFormat\":\"UNCOMPRESSED\"",
            "told to expect"
        ),
        ("FORMAT AS JSON 'auto'", "CSV", "rows are JSON"),
        ("\"ACTIVE\"", "\"CREATING\"", "is being created"),
        ("\"ACTIVE\"", "\"DELETING\"", "is being deleted"),
        ("\"ACTIVE\"", "\"CREATING_FAILED\"", "could not be created"),
        ("\"ACTIVE\"", "\"STRANGE\"", "is in state STRANGE"),
        ("DirectPut", "KinesisStreamAsSource", "takes its rows from KinesisStreamAsSource"),
        ("RedshiftDest", "HttpEndpointDest", "writes to HttpEndpoint, not to Redshift or S3"),
        ("firehose:eu-west-1:", "firehose:us-east-1:", "is in region us-east-1 of account 1234"),
        ("\"ENABLED\"", "\"ENABLING_FAILED\"", "encryption is in state ENABLING_FAILED"),
    ])
    func `what keeps rows from arriving is a problem`(
        what: String, becomes: String, says: String
    ) throws {
        let check = try check(redshift.replacing(what, with: becomes))
        #expect(!check.isReady)
        #expect(check.findings.contains { $0.text.contains(says) && $0.mend != nil })
    }

    @Test(arguments: [
        (" MAXERROR 100000", "", "lacks MAXERROR"),
        ("public.events", "clicks", "loads into clicks"),
        ("id, event", "id", "DataTableColumns lacks event"),
    ])
    func `what is odd is a warning`(what: String, becomes: String, says: String) throws {
        let check = try check(redshift.replacing(what, with: becomes))
        #expect(check.isReady)
        #expect(check.findings.count == 1)
        #expect(check.findings[0].text.contains(says))
    }

    @Test func `a shared stream is told with each worker's share`() throws {
        let findings = try check(redshift, workers: 4).findings
        #expect(findings.map(\.gravity) == [.note])
        #expect(findings[0].text == "is shared by 4 workers, each with 1/4 of its quota")
    }

    @Test func `a missing stream and one that nobody may look at are problems`() throws {
        var check = try check(redshift)
        check.found = .missing
        #expect(check.state == "missing")
        #expect(check.findings[0].text == "is not in region eu-west-1 of this account")
        check.found = .refused(code: "AccessDeniedException", message: "no")
        #expect(check.findings[0].text == "cannot be looked at: AccessDeniedException: no")
        #expect(
            check.findings[0].mend == """
                allow firehose:DescribeDeliveryStream on \
                arn:aws:firehose:eu-west-1:ACCOUNT:deliverystream/hydrant-0
                """)
    }
}

@Suite struct StreamRequestTests {
    private var creation: StreamRequest.Creation {
        StreamRequest.Creation(
            name: "px-0", roleARN: "arn:aws:iam::1:role/fh", bucketARN: "arn:aws:s3:::px",
            prefix: "px-0/")
    }

    @Test func `objects in S3, byte for byte`() {
        #expect(
            StreamRequest.create(creation) == """
                {"DeliveryStreamName":"px-0","DeliveryStreamType":"DirectPut",\
                "ExtendedS3DestinationConfiguration":{"RoleARN":"arn:aws:iam::1:role/fh",\
                "BucketARN":"arn:aws:s3:::px","Prefix":"px-0/","BufferingHints":{"SizeInMBs":64,\
                "IntervalInSeconds":300},"CompressionFormat":"GZIP"}}
                """)
    }

    @Test func `Redshift, byte for byte`() {
        var it = creation
        it.logGroup = "/fh"
        it.redshift = .init(
            jdbcURL: "jdbc:redshift://h:5439/d", login: .secret(arn: "arn:s"), table: "events",
            columns: ["id", "\"order\""])
        #expect(
            StreamRequest.create(it) == """
                {"DeliveryStreamName":"px-0","DeliveryStreamType":"DirectPut",\
                "RedshiftDestinationConfiguration":{"RoleARN":"arn:aws:iam::1:role/fh",\
                "ClusterJDBCURL":"jdbc:redshift://h:5439/d","CopyCommand":{"DataTableName":"events",\
                "DataTableColumns":"id,\\"order\\"","CopyOptions":"FORMAT AS JSON 'auto' GZIP \
                TIMEFORMAT 'auto' TRUNCATECOLUMNS MAXERROR 100000"},\
                "SecretsManagerConfiguration":{"SecretARN":"arn:s",\
                "RoleARN":"arn:aws:iam::1:role/fh","Enabled":true},\
                "RetryOptions":{"DurationInSeconds":7200},\
                "S3Configuration":{"RoleARN":"arn:aws:iam::1:role/fh",\
                "BucketARN":"arn:aws:s3:::px","Prefix":"px-0/","BufferingHints":{"SizeInMBs":64,\
                "IntervalInSeconds":300},"CompressionFormat":"GZIP","CloudWatchLoggingOptions":\
                {"Enabled":true,"LogGroupName":"/fh","LogStreamName":"px-0-BackupOrS3Delivery"}},\
                "CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"/fh",\
                "LogStreamName":"px-0-DestinationDelivery"}}}
                """)
        it.redshift?.login = .password(user: "u", password: "p\"")
        #expect(StreamRequest.create(it).contains("\"Username\":\"u\",\"Password\":\"p\\\"\","))
    }

    @Test func `names that Redshift keeps for itself are quoted in a column list, others are not`()
    {
        let names = ["id", "column", "order", "event", "timestamp"]
        let schema = Schema(columns: names.map { Schema.Column(name: $0, type: .varchar(9)) })
        #expect(schema.copyColumns == ["id", "\"column\"", "\"order\"", "event", "\"timestamp\""])
    }
}
