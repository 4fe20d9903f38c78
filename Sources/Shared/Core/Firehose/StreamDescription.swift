/// A delivery stream as DescribeDeliveryStream tells of it: what Hydrant's rows depend on.
public struct StreamDescription: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case s3, redshift
        /// A destination that Hydrant's rows are not made for, by the service's name for it.
        case other(String)

        /// For people.
        public var name: String {
            switch self {
            case .s3: "S3"
            case .redshift: "Redshift"
            case .other(let name): name
            }
        }
    }

    public struct Destination: Equatable, Sendable {
        public var id = ""
        public var kind = Kind.s3
        /// Of the objects, also of those that Redshift loads.
        public var bucketARN = ""
        public var prefix = ""
        public var compression = "UNCOMPRESSED"
        public var bufferMiB: Int?
        public var bufferSeconds: Int?
        public var jdbcURL = ""
        public var table = ""
        public var columns = ""
        public var copyOptions = ""

        public init() {}
    }

    public var name = ""
    public var arn = ""
    /// "ACTIVE", "CREATING", "CREATING_FAILED", "DELETING", …
    public var status = ""
    /// "DirectPut", or what else feeds it.
    public var type = ""
    /// Needed for a change of its destination.
    public var versionID = ""
    /// "ENABLED", "DISABLED", "ENABLING_FAILED", …; "" when not told.
    public var encryption = ""
    /// Why it could not be created or encrypted: "UNKNOWN_ERROR: …". "" when nothing is wrong.
    public var failure = ""
    public var destination: Destination?

    public init() {}

    /// "eu-west-1" of "arn:aws:firehose:eu-west-1:123456789012:deliverystream/NAME".
    public var region: String { arnPart(3) }
    public var account: String { arnPart(4) }

    private func arnPart(_ index: Int) -> String {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 5 ? String(parts[index]) : ""
    }

    /// From the answer's body. Nil when that is not one of DescribeDeliveryStream.
    public init?(answer: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(answer)
        do {
            try scanner.object { (it, name) throws(JSONScanner.Flaw) in
                if case "DeliveryStreamDescription" = name {
                    try read(&it)
                } else {
                    try it.skip()
                }
            }
        } catch { return nil }
        if name.isEmpty { return nil }
    }

    private mutating func read(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "DeliveryStreamName": name = try it.word()
            case "DeliveryStreamARN": arn = try it.word()
            case "DeliveryStreamStatus": status = try it.word()
            case "DeliveryStreamType": type = try it.word()
            case "VersionId": versionID = try it.word()
            case "FailureDescription": try readFailure(&it)
            case "DeliveryStreamEncryptionConfiguration": try readEncryption(&it)
            case "Destinations": try readDestinations(&it)
            default: try it.skip()
            }
        }
    }

    private mutating func readFailure(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        if try it.isNull() { return }
        var (type, details) = ("", "")
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "Type": type = try it.word()
            case "Details": details = try it.word()
            default: try it.skip()
            }
        }
        failure = printable("\(type): \(details)")
    }

    private mutating func readEncryption(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        if try it.isNull() { return }
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "Status": encryption = try it.word()
            case "FailureDescription": try readFailure(&it)
            default: try it.skip()
            }
        }
    }

    private mutating func readDestinations(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        try it.array { (it) throws(JSONScanner.Flaw) in
            var found = Destination()
            var isKnown = false
            try it.object { (it, member) throws(JSONScanner.Flaw) in
                switch member {
                case "DestinationId": found.id = try it.word()
                // The service describes an extended destination by its plain part as well.
                case "S3DestinationDescription" where isKnown: try it.skip()
                default:
                    let kind = Kind(member: member.string(bytesMax: 80))
                    if kind == nil {
                        try it.skip()
                    } else if try !it.isNull() {
                        isKnown = true
                        found.kind = kind!
                        try found.read(&it)
                    }
                }
            }
            if isKnown, destination == nil { destination = found }
        }
    }
}

extension StreamDescription.Kind {
    /// By the member of an answer that holds it; nil for a member that is no destination.
    fileprivate init?(member: String) {
        switch member {
        case "ExtendedS3DestinationDescription", "S3DestinationDescription": self = .s3
        case "RedshiftDestinationDescription": self = .redshift
        default:
            let suffix = "DestinationDescription"
            guard member.hasSuffix(suffix) else { return nil }
            self = .other(String(member.dropLast(suffix.count)))
        }
    }
}

extension StreamDescription.Destination {
    fileprivate mutating func read(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "BucketARN": bucketARN = try it.word()
            case "Prefix": prefix = try it.word()
            case "CompressionFormat": compression = try it.word()
            case "BufferingHints": try readHints(&it)
            case "ClusterJDBCURL": jdbcURL = try it.word()
            case "CopyCommand": try readCopy(&it)
            case "S3DestinationDescription":
                if try !it.isNull() { try read(&it) }
            default: try it.skip()
            }
        }
    }

    private mutating func readHints(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        if try it.isNull() { return }
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "SizeInMBs": bufferMiB = try it.count()
            case "IntervalInSeconds": bufferSeconds = try it.count()
            default: try it.skip()
            }
        }
    }

    private mutating func readCopy(_ it: inout JSONScanner) throws(JSONScanner.Flaw) {
        if try it.isNull() { return }
        try it.object { (it, member) throws(JSONScanner.Flaw) in
            switch member {
            case "DataTableName": table = try it.word()
            case "DataTableColumns": columns = try it.word()
            case "CopyOptions": copyOptions = try it.word()
            default: try it.skip()
            }
        }
    }
}

extension JSONScanner {
    /// A short text; "" for null.
    fileprivate mutating func word() throws(Flaw) -> String {
        try textOrNull()?.string(bytesMax: 16 << 10) ?? ""
    }

    /// True and taken, or false and not.
    fileprivate mutating func isNull() throws(Flaw) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try skip()
        return true
    }
}
