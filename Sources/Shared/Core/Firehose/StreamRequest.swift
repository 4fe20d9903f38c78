/// The bodies of the calls that look at streams and make them.
public enum StreamRequest {
    public static func describe(_ name: String) -> String {
        "{\"DeliveryStreamName\":\(jsonQuoted(name))}"
    }

    /// How to make a stream for Hydrant's rows.
    public struct Creation: Equatable, Sendable {
        /// Where Redshift is and who loads; nil: objects in S3 and nothing more.
        public struct Redshift: Equatable, Sendable {
            public enum Login: Equatable, Sendable {
                /// The ARN of a secret with members "username" and "password".
                case secret(arn: String)
                case password(user: String, password: String)
            }

            public var jdbcURL: String
            public var login: Login
            public var table: String
            public var columns: [String]
            public var copyOptions = StreamRequest.copyOptions

            public init(jdbcURL: String, login: Login, table: String, columns: [String]) {
                self.jdbcURL = jdbcURL
                self.login = login
                self.table = table
                self.columns = columns
            }
        }

        public var name: String
        /// The role that Firehose takes on.
        public var roleARN: String
        public var bucketARN: String
        public var prefix: String
        public var bufferMiB = 64
        public var bufferSeconds = 300
        /// The log group of Firehose's errors; nil: they are told nowhere.
        public var logGroup: String?
        public var redshift: Redshift?

        public init(name: String, roleARN: String, bucketARN: String, prefix: String) {
            self.name = name
            self.roleARN = roleARN
            self.bucketARN = bucketARN
            self.prefix = prefix
        }
    }

    /// How COPY is to read what Hydrant writes (ops/redshift/02-copy.sql says why).
    public static let copyOptions =
        "FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto' TRUNCATECOLUMNS MAXERROR 100000"

    public static func create(_ it: Creation) -> String {
        var out = "{\"DeliveryStreamName\":\(jsonQuoted(it.name))"
        out += ",\"DeliveryStreamType\":\"DirectPut\""
        if let redshift = it.redshift {
            out += ",\"RedshiftDestinationConfiguration\":\(self.redshift(redshift, it))}"
        } else {
            out += ",\"ExtendedS3DestinationConfiguration\":\(s3(it))}"
        }
        return out
    }

    private static func s3(_ it: Creation) -> String {
        "{\"RoleARN\":\(jsonQuoted(it.roleARN)),\"BucketARN\":\(jsonQuoted(it.bucketARN))"
            + ",\"Prefix\":\(jsonQuoted(it.prefix))"
            + ",\"BufferingHints\":{\"SizeInMBs\":\(it.bufferMiB)"
            + ",\"IntervalInSeconds\":\(it.bufferSeconds)}"
            + ",\"CompressionFormat\":\"GZIP\"\(logging(it, "BackupOrS3Delivery"))}"
    }

    private static func redshift(_ redshift: Creation.Redshift, _ it: Creation) -> String {
        var out = "{\"RoleARN\":\(jsonQuoted(it.roleARN))"
        out += ",\"ClusterJDBCURL\":\(jsonQuoted(redshift.jdbcURL))"
        out += ",\"CopyCommand\":{\"DataTableName\":\(jsonQuoted(redshift.table))"
        if !redshift.columns.isEmpty {
            let columns = redshift.columns.joined(separator: ",")
            out += ",\"DataTableColumns\":\(jsonQuoted(columns))"
        }
        out += ",\"CopyOptions\":\(jsonQuoted(redshift.copyOptions))}"
        switch redshift.login {
        case .secret(let arn):
            out += ",\"SecretsManagerConfiguration\":{\"SecretARN\":\(jsonQuoted(arn))"
            out += ",\"RoleARN\":\(jsonQuoted(it.roleARN)),\"Enabled\":true}"
        case .password(let user, let password):
            out += ",\"Username\":\(jsonQuoted(user)),\"Password\":\(jsonQuoted(password))"
        }
        // The time a COPY that fails is tried again: the longest there is.
        out += ",\"RetryOptions\":{\"DurationInSeconds\":7200}"
        return out + ",\"S3Configuration\":\(s3(it))\(logging(it, "DestinationDelivery"))}"
    }

    private static func logging(_ it: Creation, _ kind: String) -> String {
        guard let group = it.logGroup else { return "" }
        return
            ",\"CloudWatchLoggingOptions\":{\"Enabled\":true,\"LogGroupName\":\(jsonQuoted(group))"
            + ",\"LogStreamName\":\(jsonQuoted("\(it.name)-\(kind)"))}"
    }
}
