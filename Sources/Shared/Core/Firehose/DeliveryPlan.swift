/// What a rate of hits asks of Firehose, and of this host when Firehose is away: arithmetic, before
/// anything runs.
///
/// Bytes are of rows as they are delivered, with their newline. Every figure is for all hosts
/// together unless it says "a shard".
public struct DeliveryPlan: Equatable, Sendable {
    public struct Demand: Equatable, Sendable {
        /// Rows per second, at the peak.
        public var rate: Double
        public var rowBytes: Int
        public var region: String
        public var quota: StreamQuota
        /// Part of the quota that is to stay unused, 0 ..< 1: for peaks within a second, for shards
        /// that get more than their share, and for what an outage left.
        public var headroom = 0.3
        /// Nil: as many as are needed.
        public var workers: Int?
        /// All workers put their rows into one stream.
        public var sharesStream = false
        /// A batch leaves at so many bytes, or after so long.
        public var lingerBytes = 256 << 10
        public var lingerMs: UInt64 = 10_000
        /// For what comes after Firehose and counts rows.
        public var recordRowsMax = Int.max
        /// What a stream gathers before it writes an object, which is one COPY.
        public var bufferMiB = 64
        public var bufferSeconds = 300
        public var outageMs: UInt64 = 3_600_000
        /// A shard's, for good rows.
        public var spoolBytesMax: UInt64 = 10 << 30
        /// USD for 2^30 billed bytes; nil when nobody said.
        public var pricePerGB: Double?

        public init(rate: Double, rowBytes: Int, region: String) {
            self.rate = rate
            self.rowBytes = rowBytes
            self.region = region
            quota = .of(region: region)
        }
    }

    /// One way to put rows into records.
    public struct Way: Equatable, Sendable {
        public var shardsNeeded: Int
        public var callsPerSecond: Double
        public var recordsPerSecond: Double
        public var billedBytesPerSecond: Double

        public var billedGBPerDay: Double { billedBytesPerSecond * 86_400 / Double(1 << 30) }
    }

    /// Firehose bills each record as if it were filled up to a multiple of this.
    public static let billedStepBytes = 5120
    /// What the spool writes beside a row at most: its record's header, for a frame of one hit.
    public static let spoolRowOverheadBytes = SpoolRecordHeader.byteCount

    public let demand: Demand
    /// Many rows a record, as Hydrant does it.
    public let aggregated: Way
    public let oneRowPerRecord: Way

    public init(_ demand: Demand) {
        self.demand = demand
        aggregated = Self.aggregated(demand)
        oneRowPerRecord = Self.oneRowPerRecord(demand)
    }

    // MARK: Streams

    /// The number the other figures are for.
    public var shards: Int { demand.workers ?? aggregated.shardsNeeded }
    public var rowBytesPerSecond: Double { demand.rate * Double(demand.rowBytes) }
    public var shardBytesPerSecond: Double { rowBytesPerSecond / Double(shards) }
    /// Of the byte quota, 1 being all of it.
    public var shardFill: Double { rowBytesPerSecond / quotaBytesPerSecond }
    private var streams: Int { demand.sharesStream ? 1 : shards }
    private var quotaBytesPerSecond: Double {
        Double(demand.quota.bytesPerSecond) * Double(streams)
    }
    /// A shard's calls go one after the other: how long each may take, the way there included, for the
    /// shard's rows to keep up when its batches are full.
    public var callSecondsMax: Double { Double(Limits.firehoseCallBytesMax) / shardBytesPerSecond }
    /// A large call is commonly answered sooner.
    public static let callSecondsUsual = 0.5
    public var hasEnoughShards: Bool { streams >= aggregated.shardsNeeded }

    /// How often a stream writes an object and loads it.
    public var copiesPerHour: Double {
        let fillSeconds = Double(demand.bufferMiB << 20) * Double(streams) / rowBytesPerSecond
        // An interval of 0 is as soon as possible; COPY itself comes about once a minute.
        let seconds = max(60, min(Double(demand.bufferSeconds), fillSeconds))
        return Double(streams) * 3600 / seconds
    }

    // MARK: Without Firehose

    /// Rows of an outage, with what the spool adds.
    public var outageSpoolBytes: Double {
        demand.rate * Double(demand.rowBytes + Self.spoolRowOverheadBytes)
            * Double(demand.outageMs) / 1000
    }
    public var outageSpoolBytesPerShard: Double { outageSpoolBytes / Double(shards) }
    /// How long `spool.max_bytes` lasts.
    public var spoolSeconds: Double {
        let perSecond = demand.rate * Double(demand.rowBytes + Self.spoolRowOverheadBytes)
        return Double(demand.spoolBytesMax) * Double(shards) / perSecond
    }
    /// From the outage's end until all is delivered, at the full quota while rows go on coming; nil:
    /// never.
    public var catchUpSeconds: Double? {
        let spare = quotaBytesPerSecond - rowBytesPerSecond
        guard spare > 0 else { return nil }
        return rowBytesPerSecond * Double(demand.outageMs) / 1000 / spare
    }
    /// Of calls in the making or under way, base64 and all: a full one for each lane of a worker.
    public var callMemoryBytesPerWorker: Int { 2 * (Limits.firehoseCallBytesMax / 3 * 4) }
    /// What a router holds of hits that no worker has stored yet.
    public var windowBytesPerRouter: Int {
        min(shards * Limits.windowBytesPerWorkerMax, Limits.windowBytesMax)
    }

    // MARK: The two ways

    private static func aggregated(_ demand: Demand) -> Way {
        if demand.recordRowsMax == 1 { return oneRowPerRecord(demand) }
        let bytes = demand.rate * Double(demand.rowBytes)
        // A record is full by its bytes, or by its rows, and then it is a known size: at the least,
        // since rows differ, and those that were received together stay together.
        let rowsBytes = Double(demand.rowBytes) * Double(min(demand.recordRowsMax, 1 << 30))
        let recordBytes = min(Double(Limits.firehoseRecordBytesMax), rowsBytes)
        let fullBatch = min(
            Double(max(demand.lingerBytes, demand.rowBytes)),
            recordBytes * Double(Limits.firehoseCallRecordsMax))
        let needed = shards(
            demand, calls: bytes / fullBatch, records: bytes / min(fullBatch, recordBytes))
        let shards = Double(demand.workers ?? needed)
        // A quiet shard's batch is what came in the time; a busy one's leaves when it is full.
        let lingered = bytes / shards * Double(demand.lingerMs) / 1000
        let batch = max(Double(demand.rowBytes), min(fullBatch, lingered))
        let calls = bytes / batch
        // What is 54.0000000001 because of binary fractions is 54.
        let recordsPerCall = max(1, (batch / recordBytes - 1e-9).rounded(.up))
        let records = min(demand.rate, calls * recordsPerCall)
        let step = Double(billedStepBytes)
        // Rows end anywhere within the last step, so half of it is wasted.
        let anywhere = max(bytes + records * step / 2, records * step)
        let isFullOfRows = rowsBytes <= min(batch, Double(Limits.firehoseRecordBytesMax))
        func steps(_ bytes: Double) -> Double { (bytes / step - 1e-9).rounded(.up) * step }
        let full = (batch / recordBytes + 1e-9).rounded(.down)
        let billed =
            isFullOfRows
            ? calls * (full * steps(recordBytes) + steps(batch - full * recordBytes)) : anywhere
        return Way(
            shardsNeeded: needed, callsPerSecond: calls, recordsPerSecond: records,
            billedBytesPerSecond: billed)
    }

    private static func oneRowPerRecord(_ demand: Demand) -> Way {
        let lingering = (max(1, demand.lingerBytes) + demand.rowBytes - 1) / demand.rowBytes
        let perCall = min(
            Limits.firehoseCallRecordsMax, Limits.firehoseCallBytesMax / demand.rowBytes, lingering)
        let steps = (demand.rowBytes + billedStepBytes - 1) / billedStepBytes
        let full = demand.rate / Double(max(1, perCall))
        let needed = shards(demand, calls: full, records: demand.rate)
        // A quiet shard's call leaves when its time is over, with what there is.
        let lingered = Double(demand.workers ?? needed) * 1000 / Double(max(1, demand.lingerMs))
        return Way(
            shardsNeeded: needed, callsPerSecond: max(full, min(demand.rate, lingered)),
            recordsPerSecond: demand.rate,
            billedBytesPerSecond: demand.rate * Double(steps * billedStepBytes))
    }

    /// As many streams as keep all three quotas, the headroom left alone.
    private static func shards(_ demand: Demand, calls: Double, records: Double) -> Int {
        let usable = 1 - demand.headroom
        let quota = demand.quota
        let needed = max(
            demand.rate * Double(demand.rowBytes) / (Double(quota.bytesPerSecond) * usable),
            calls / (Double(quota.callsPerSecond) * usable),
            records / (Double(quota.recordsPerSecond) * usable))
        // What is 3.0000000001 because of binary fractions is 3.
        return max(1, Int((needed - 1e-9).rounded(.up)))
    }
}
