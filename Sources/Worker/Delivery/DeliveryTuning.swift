import Core

/// The numbers of a lane's delivery. The defaults are what production uses; tests shorten times.
struct DeliveryTuning {
    /// A call leaves when this many bytes wait in the spool, or the oldest has waited `lingerMs`.
    var lingerBytes = 256 << 10
    var lingerMs: UInt64 = 10_000

    /// Waits between tries double from base to cap, then each is drawn at random below that.
    var backoffFloorMs: UInt64 = 100
    var backoffBaseMs: UInt64 = 200
    var throttleBaseMs: UInt64 = 1000
    var backoffCapMs: UInt64 = 30_000
    /// The same for what only a person can mend.
    var probeBaseMs: UInt64 = 5000
    var probeCapMs: UInt64 = 60_000

    /// For the name and for each address, one after the other.
    var connectTimeoutMs: UInt64 = 3000
    /// A call may take this long, and what its body takes at the slowest rate worth having.
    var callTimeoutBaseMs: UInt64 = 15_000
    var callBytesPerSecondMin = 128 << 10
    /// How long a stop waits for the call in flight.
    var stopWaitMs: UInt64 = 2000

    /// The same trouble is told once in this time, with a count.
    var logEveryMs: UInt64 = 30_000

    func callTimeoutMs(bodyByteCount: Int) -> UInt64 {
        callTimeoutBaseMs + UInt64(bodyByteCount) * 1000 / UInt64(callBytesPerSecondMin)
    }
}
