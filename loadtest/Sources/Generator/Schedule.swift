import Glibc

/// When a thread's requests are due. Open model only.
///
/// Request number n of the run is due when the integral of the rate reaches n; a thread takes every
/// so many-th. With Poisson arrivals a thread's steps through that integral are exponential, with
/// the same mean.
struct Schedule: ~Copyable {
    private var cursor: RateCursor
    private var count: Double
    private let step: Double
    /// State of the generator of steps; nil when they are even.
    private var random: UInt64?
    /// The times of an access log instead, and how much faster than recorded.
    private let log: ReplayLog?
    private let pace: Double

    /// - Parameter log: of a plan that replays one.
    init(_ plan: LoadPlan, thread: Int, log: ReplayLog?) {
        pace = plan.replay?.pace ?? 1
        self.log = plan.replay?.pace == nil ? nil : log
        // Random steps may need longer than even ones until so many are due.
        let isByCount = plan.seconds == nil && plan.arrivals == .poisson
        cursor = RateCursor(
            isByCount ? plan.rate.lasting(seconds: LoadDuration.secondsMax) : plan.rate)
        step = Double(plan.threadsInAll)
        count = Double(thread)
        if plan.arrivals == .poisson {
            random = plan.seed &+ UInt64(thread + 1) &* 0x9E37_79B9_7F4A_7C15
            count = exponentialStep()
        }
    }

    /// Nanoseconds from the run's start to the next request, nil when the rate's time is over.
    mutating func next() -> UInt64? {
        if let log {
            defer { count += step }
            return UInt64(log.dueSeconds(ofRequest: UInt64(count), pace: pace) * 1e9)
        }
        guard let due = cursor.dueNanoseconds(count: count) else { return nil }
        count += random == nil ? step : exponentialStep()
        return due
    }

    private mutating func exponentialStep() -> Double {
        // splitmix64; 53 bits of it in (0, 1].
        random! &+= 0x9E37_79B9_7F4A_7C15
        var bits = random!
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return -Glibc.log(Double(bits >> 11 + 1) * 0x1p-53) * step
    }
}
