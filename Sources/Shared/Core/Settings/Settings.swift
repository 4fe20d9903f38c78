/// Everything an operator may set, as the processes use it. Made by Config from defaults, file,
/// environment and flags; the table in `Setting` gives each its key, range and prose.
public struct Settings: Equatable, Sendable {
    public struct Address: Equatable, Sendable {
        /// IPv4 or IPv6 literal.
        public var host: String
        public var port: UInt16

        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// When a hit is answered: from a router's memory, from the spool file, after a sync of it.
    public enum Ack: String, Sendable, CaseIterable { case received, spooled, fsync }
    public enum OnShardDown: String, Sendable, CaseIterable { case wait, reroute }
    /// Whether routers and workers share one CPU while it is enough for them.
    public enum Cores: String, Sendable, CaseIterable { case pack, spread }
    public enum OnInvalid: String, Sendable, CaseIterable { case refuse, accept }
    /// What becomes of undelivered rows when the cluster stops.
    public enum OnStop: String, Sendable, CaseIterable { case keep, deliver }
    public enum DeliveryMode: String, Sendable, CaseIterable { case local, aws }
    /// How rows become Firehose records.
    public enum Records: String, Sendable, CaseIterable {
        case aggregated
        case onePerRow = "one-per-row"
    }
    public enum Sink: String, Sendable, CaseIterable { case warehouse, objects, discard }
    public enum LocalPriority: String, Sendable, CaseIterable { case idle, normal }
    public enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error
    }
    public enum LogFormat: String, Sendable, CaseIterable { case auto, text, json }
    public enum ShardKeyPart: Equatable, Sendable {
        /// The raw bytes of a query parameter.
        case query(String)
        /// The visitor cookie.
        case cookie(String)
        /// Client address and User-Agent together: always present, so always last.
        case addressAndUserAgent
    }

    public var listen = Address(host: "127.0.0.1", port: 8080)
    public var routers = 1
    public var workers = 2
    /// Absolute path of the data folder.
    public var dataFolder = "var"
    /// Absolute path of the schema file; nil is the embedded default.
    public var schemaFile: String?
    public var cores = Cores.pack
    public var ack = Ack.spooled
    public var onInvalid = OnInvalid.refuse
    public var shardKey: [ShardKeyPart] = [
        .query("uid"), .cookie("hy_uid"), .addressAndUserAgent,
    ]
    public var waitLimitMs: UInt64 = 2000
    public var onShardDown = OnShardDown.wait
    public var stopTimeoutMs: UInt64 = 10_000
    public var keepAliveMs: UInt64 = 75_000
    public var connectionsMax = 65_536
    /// Where the supervisor answers about its health; nil is "off".
    public var admin: Address? = Address(host: "127.0.0.1", port: 8081)
    public var onStop = OnStop.keep
    public var deliverTimeoutMs: UInt64 = 60_000
    public var hangLimitMs: UInt64 = 30_000
    public var startLimitMs: UInt64 = 60_000

    /// Absolute path of the folder that holds a folder a shard.
    public var spoolFolder = "var/spool"
    public var spoolBytesMax: UInt64 = 10 << 30
    public var spoolBadBytesMax: UInt64 = 1 << 30
    public var spoolSegmentBytes: UInt64 = 64 << 20

    public var deliveryMode = DeliveryMode.local
    /// nil is "auto": 10 s, in local mode 1 s.
    public var lingerMs: UInt64?
    public var lingerBytes = 256 << 10
    /// Rows; 0: they are not counted.
    public var lingerCount = 0

    /// May hold `{shard}` and `{host}`.
    public var stream = "hydrant-{shard}"
    public var badStream = "hydrant-bad-{shard}"
    public var shardOffset = 0
    /// A stream's bytes a second; nil is "auto": the region's default, in local mode none.
    public var quotaBytes: Int?
    public var records = Records.aggregated
    /// 0: as many as fit.
    public var rowsPerRecordMax = 0
    public var region = "us-east-1"
    /// Mode aws: scheme, host and port to call instead of the region's ("http://127.0.0.1:5000").
    public var endpointURL: String?
    public var usesFIPS = false
    public var usesDualStack = false
    /// Absolute path of a PEM file; nil: the system's authorities.
    public var authoritiesFile: String?

    public var localListen = Address(host: "127.0.0.1", port: 8090)
    public var sink = Sink.warehouse
    public var bufferIntervalMs: UInt64 = 2000
    public var localPriority = LocalPriority.idle
    /// Absolute path of the local Firehose's fault plan; nil: no faults.
    public var faultPlanFile: String?
    /// Absolute paths of PEM files, both or neither; nil: it speaks plain HTTP.
    public var localCertificateFile: String?
    public var localKeyFile: String?

    /// USD for a billed GB, for `hydrant plan`; nil when nobody said.
    public var pricePerGB: Double?

    public var logLevel = LogLevel.info
    public var logFormat = LogFormat.auto

    public init() {}

    /// Where the supervisor takes orders; a Unix socket, so at most 107 bytes long.
    public var controlSocketPath: String { dataFolder + "/control.sock" }
    /// The local Firehose's key pair, as an AWS credentials file.
    public var localCredentialsPath: String { dataFolder + "/local-credentials" }
    /// The wait before a batch that is not full leaves, "auto" resolved.
    public var effectiveLingerMs: UInt64 {
        lingerMs ?? (deliveryMode == .local ? 1000 : Self.lingerMsOfAWS)
    }
    /// What "auto" is where calls and their rounding are billed.
    public static let lingerMsOfAWS: UInt64 = 10_000

    public var effectiveLingerRows: Int { lingerCount == 0 ? .max : lingerCount }
    public var effectiveRecordRowsMax: Int {
        if records == .onePerRow { return 1 }
        return rowsPerRecordMax == 0 ? .max : rowsPerRecordMax
    }

    public var localSpeaksTLS: Bool { localCertificateFile != nil }

    /// Where Firehose is called.
    public var firehoseEndpoint: ServiceEndpoint {
        if deliveryMode == .local {
            let listen = localListen.reachable
            return ServiceEndpoint(
                isTLS: localSpeaksTLS, host: listen.host, port: listen.port)
        }
        // The setting's form took no URL that is none.
        if let endpointURL, let endpoint = try? ServiceEndpoint(url: endpointURL) {
            return endpoint
        }
        return .aws(
            "firehose", region: region, usesFIPS: usesFIPS, usesDualStack: usesDualStack)
    }

    /// The good stream of a shard, its placeholders replaced.
    public func streamName(shard: Int, host: String) -> String {
        Self.fill(stream, shard: shard + shardOffset, host: host)
    }

    public func badStreamName(shard: Int, host: String) -> String {
        Self.fill(badStream, shard: shard + shardOffset, host: host)
    }

    /// What a lane may put a second into that stream: the stream's quota, divided by the lanes of
    /// this host that share it. Nil: there is none.
    public func quota(ofStream name: String, host: String) -> StreamQuota? {
        if quotaBytes == nil, deliveryMode == .local { return nil }
        let lanes = (0..<workers).flatMap {
            [streamName(shard: $0, host: host), badStreamName(shard: $0, host: host)]
        }
        var quota = StreamQuota.of(region: region)
        if let quotaBytes { quota = quota.raised(toBytesPerSecond: quotaBytes) }
        return quota.divided(by: lanes.count { $0 == name })
    }

    /// "{shard}" and "{host}" replaced, everything else kept.
    static func fill(_ pattern: String, shard: Int, host: String) -> String {
        var out = ""
        var rest = Substring(pattern)
        while let open = rest.firstIndex(of: "{") {
            out += rest[..<open]
            rest = rest[open...]
            if rest.hasPrefix("{shard}") {
                out += String(shard)
                rest = rest.dropFirst(7)
            } else if rest.hasPrefix("{host}") {
                out += host
                rest = rest.dropFirst(6)
            } else {
                out += "{"
                rest = rest.dropFirst()
            }
        }
        return out + rest
    }
}
