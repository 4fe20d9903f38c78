/// Decides whether a child hangs: it is alive and has not said so for too long.
///
/// It says so by changing the heartbeat in its page of counters. What it writes there is compared
/// with what was there before and believed no further: the time since the last change is taken from
/// the supervisor's own clock. That clock is monotonic, so a set or jumping wall clock means nothing.
/// When the supervisor itself did not run for a while (stopped with its process group, frozen with
/// its container, starved), nobody can tell what the child did meanwhile, and its time begins anew.
struct HangWatch: Equatable {
    static let lookEveryMs: UInt64 = 250
    /// Looks further apart than this are a gap of the supervisor's own.
    static let gapMs: UInt64 = 1000
    /// Ten beats that did not come: no machine is so busy. It is worth a word long before it is worth a
    /// kill, because the child's clients wait meanwhile, and what it waits for may pass.
    static let stillMs: UInt64 = 5000

    private var beat: UInt64 = 0
    private var changedAtMs: UInt64
    private var lookedAtMs: UInt64
    /// How long it had been silent at the last look.
    var silentMs: UInt64 { lookedAtMs - changedAtMs }

    /// A child has been spawned.
    init(nowMs: UInt64) {
        changedAtMs = nowMs
        lookedAtMs = nowMs
    }

    /// How long it has been silent. Call about every `lookEveryMs`.
    mutating func look(beat: UInt64, nowMs: UInt64) -> UInt64 {
        if beat != self.beat || nowMs > lookedAtMs + Self.gapMs { changedAtMs = nowMs }
        self.beat = beat
        lookedAtMs = nowMs
        return silentMs
    }
}
