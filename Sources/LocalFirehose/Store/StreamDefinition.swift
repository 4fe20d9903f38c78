import Platform

/// A delivery stream, as it is kept in `streams/NAME/stream.json`.
struct StreamDefinition: Equatable {
    enum Kind: String {
        /// Rows of the schema's table.
        case good
        /// Rows of the table of bad rows.
        case bad
        /// Created by a foreign tool: objects, and nothing is loaded.
        case objects
    }

    static let nameBytesMax = 64

    var name: String
    var kind: Kind
    var bucket: String
    var prefix: String
    var isGzip: Bool
    var createdAtSeconds: Int64
    /// What DescribeDeliveryStream tells of the destination.
    var destination: JSONValue

    /// A stream of the configuration: GZIP objects under its own name in the local bucket.
    static func configured(name: String, kind: Kind, nowSeconds: Int64) -> StreamDefinition {
        let bucket = "hydrant-local"
        return StreamDefinition(
            name: name, kind: kind, bucket: bucket, prefix: name + "/", isGzip: true,
            createdAtSeconds: nowSeconds,
            destination: .object([
                "DestinationId": .text(destinationID),
                "ExtendedS3DestinationDescription": .object([
                    "RoleARN": .text("arn:aws:iam::\(accountID):role/hydrant-local"),
                    "BucketARN": .text("arn:aws:s3:::" + bucket),
                    "Prefix": .text(name + "/"),
                    "BufferingHints": .object([
                        "SizeInMBs": .integer(5), "IntervalInSeconds": .integer(2),
                    ]),
                    "CompressionFormat": .text("GZIP"),
                    "EncryptionConfiguration": .object(["NoEncryptionConfig": .text("NoEncryption")]
                    ),
                ]),
            ]))
    }

    static let accountID = "000000000000"
    static let destinationID = "destinationId-000000000001"

    /// `[a-zA-Z0-9_.-]+`, as the service has it; "." and ".." would be folders of ours.
    static func isName(_ name: String) -> Bool {
        name != "." && name != ".." && !name.isEmpty && name.utf8.count <= nameBytesMax
            && name.utf8.allSatisfy(isNameByte)
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: The file

    var file: [UInt8] {
        JSONValue.object([
            "name": .text(name), "kind": .text(kind.rawValue), "bucket": .text(bucket),
            "prefix": .text(prefix), "gzip": .bool(isGzip), "created": .integer(createdAtSeconds),
            "destination": destination,
        ]).bytes + [UInt8(ascii: "\n")]
    }

    /// Nil when the file is not one that `file` wrote.
    init?(file bytes: [UInt8]) {
        guard let json = JSONValue(parsing: bytes), let name = json["name"]?.text,
            Self.isName(name), let kind = json["kind"]?.text.flatMap(Kind.init(rawValue:)),
            let bucket = json["bucket"]?.text, let prefix = json["prefix"]?.text,
            case .bool(let isGzip)? = json["gzip"], let created = json["created"]?.integer,
            let destination = json["destination"]
        else { return nil }
        self.init(
            name: name, kind: kind, bucket: bucket, prefix: prefix, isGzip: isGzip,
            createdAtSeconds: created, destination: destination)
    }

    init(
        name: String, kind: Kind, bucket: String, prefix: String, isGzip: Bool,
        createdAtSeconds: Int64, destination: JSONValue
    ) {
        self.name = name
        self.kind = kind
        self.bucket = bucket
        self.prefix = prefix
        self.isGzip = isGzip
        self.createdAtSeconds = createdAtSeconds
        self.destination = destination
    }
}
