import Core

/// The numbers of a lane's delivery. The defaults are what production uses; tests shorten times.
struct DeliveryTuning {
    /// A call leaves when this many bytes or rows wait in the spool, or the oldest has waited
    /// `lingerMs`.
    var lingerBytes = 256 << 10
    var lingerRows = Int.max
    var lingerMs: UInt64 = 10_000

    /// Waits between tries double from base to cap, then each is drawn at random below that.
    var backoffFloorMs: UInt64 = 100
    var backoffBaseMs: UInt64 = 200
    var throttleBaseMs: UInt64 = 1000
    var backoffCapMs: UInt64 = 30_000
    /// The same for what only a person can mend.
    var probeBaseMs: UInt64 = 5000
    var probeCapMs: UInt64 = 60_000

    /// Rows of a Firehose record.
    var recordRowsMax = Int.max
    /// What the stream takes from this lane; nil: whatever it likes.
    var quota: StreamQuota?

    var call = CallLimits()
    /// How long a stop waits for the call in flight.
    var stopWaitMs: UInt64 = 2000

    /// The same trouble is told once in this time, with a count.
    var logEveryMs: UInt64 = 30_000
}
