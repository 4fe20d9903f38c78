import Core

/// Reads a CreateDeliveryStream request into a definition.
enum StreamCreation {
    /// Destinations served, and the member each becomes in DescribeDeliveryStream.
    private static let destinations = [
        "ExtendedS3DestinationConfiguration": "ExtendedS3DestinationDescription",
        "S3DestinationConfiguration": "S3DestinationDescription",
        "RedshiftDestinationConfiguration": "RedshiftDestinationDescription",
    ]

    static func definition(
        _ request: JSONValue, nowSeconds: Int64
    ) throws(APIError) -> StreamDefinition {
        guard let name = request["DeliveryStreamName"]?.text else {
            throw .validation("null", at: "deliveryStreamName", "not be null")
        }
        try PutDecoder.check(streamName: name)
        guard StreamDefinition.isName(name) else {
            throw .invalidArgument("\"\(name)\" cannot be kept as a folder; choose another name.")
        }
        if let type = request["DeliveryStreamType"]?.text, type != "DirectPut" {
            throw .invalidArgument("The local Firehose has DirectPut streams only, not \(type).")
        }
        let given = request.fields.filter { $0.key.hasSuffix("DestinationConfiguration") }
        guard given.count == 1 else {
            throw .invalidArgument(
                "Exactly one destination configuration is supported for a Firehose")
        }
        guard let described = destinations[given[0].key] else {
            throw .invalidArgument(
                "The local Firehose writes to S3 and Redshift only, not \(given[0].key).")
        }
        let s3 = given[0].value["S3Configuration"] ?? given[0].value
        return StreamDefinition(
            name: name, kind: .objects, bucket: try bucket(s3), prefix: try prefix(s3),
            isGzip: try isGzip(s3), createdAtSeconds: nowSeconds,
            destination: description(of: given[0].value, as: described))
    }

    private static func bucket(_ s3: JSONValue) throws(APIError) -> String {
        guard let arn = s3["BucketARN"]?.text else {
            throw .validation("null", at: "bucketARN", "not be null")
        }
        let name = arn.hasPrefix("arn:aws:s3:::") ? String(arn.dropFirst(13)) : ""
        let isName =
            (3...63).contains(name.utf8.count) && !name.contains("..") && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                StreamDefinition.isNameByte($0) && $0 != UInt8(ascii: "_")
            }
        guard isName else {
            throw .validation(
                "'\(arn)'", at: "bucketARN", "satisfy regular expression pattern: arn:.*")
        }
        return name
    }

    /// S3 takes any key; here it becomes a path, so nothing in it may climb.
    private static func prefix(_ s3: JSONValue) throws(APIError) -> String {
        let prefix = s3["Prefix"]?.text ?? ""
        if prefix.utf8.count > 512 {
            throw .validation("'\(prefix)'", at: "prefix", "have length less than or equal to 512")
        }
        if prefix.contains("!{") {
            throw .invalidArgument(
                "The local Firehose knows no expressions (!{…}) in a prefix; it always adds "
                    + "YYYY/MM/DD/HH/.")
        }
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false)
        let isPath =
            !prefix.hasPrefix("/") && !segments.contains { $0 == "." || $0 == ".." }
            && segments.allSatisfy { $0.utf8.count <= 128 }
            && prefix.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        if !isPath {
            throw .invalidArgument("\"\(prefix)\" cannot be a folder of the local Firehose.")
        }
        return prefix
    }

    private static func isGzip(_ s3: JSONValue) throws(APIError) -> Bool {
        switch s3["CompressionFormat"]?.text ?? "UNCOMPRESSED" {
        case "GZIP": true
        case "UNCOMPRESSED": false
        case let other:
            throw .invalidArgument(
                "The local Firehose compresses with GZIP or not at all, not \(other).")
        }
    }

    /// A configuration and its description have the same members, but for the nested ones'
    /// names; secrets are not told again.
    private static func description(of configuration: JSONValue, as member: String) -> JSONValue {
        var fields = [
            JSONValue.Field(key: "DestinationId", value: .text(StreamDefinition.destinationID)),
            JSONValue.Field(key: member, value: described(configuration)),
        ]
        // The service describes an extended destination by its plain part as well.
        if member == "ExtendedS3DestinationDescription" {
            let plain = [
                "RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints",
                "CompressionFormat", "EncryptionConfiguration", "CloudWatchLoggingOptions",
            ]
            let known = described(configuration).fields.filter { plain.contains($0.key) }
            fields.append(JSONValue.Field(key: "S3DestinationDescription", value: .object(known)))
        }
        return .object(fields)
    }

    private static func described(_ configuration: JSONValue) -> JSONValue {
        var fields: [JSONValue.Field] = []
        for field in configuration.fields where field.key != "Password" {
            switch field.key {
            case "S3Configuration":
                fields.append(.init(key: "S3DestinationDescription", value: described(field.value)))
            case "S3BackupConfiguration":
                fields.append(.init(key: "S3BackupDescription", value: described(field.value)))
            default: fields.append(field)
            }
        }
        if configuration["BucketARN"] != nil {
            addDefault(
                "BufferingHints",
                .object([
                    "SizeInMBs": .integer(5), "IntervalInSeconds": .integer(300),
                ]), to: &fields)
            addDefault("CompressionFormat", .text("UNCOMPRESSED"), to: &fields)
            addDefault(
                "EncryptionConfiguration",
                .object(["NoEncryptionConfig": .text("NoEncryption")]), to: &fields)
        }
        return .object(fields)
    }

    private static func addDefault(
        _ key: String, _ value: JSONValue, to fields: inout [JSONValue.Field]
    ) {
        if !fields.contains(where: { $0.key == key }) {
            fields.append(.init(key: key, value: value))
        }
    }
}
