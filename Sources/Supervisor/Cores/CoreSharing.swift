/// Decides whether routers and workers share one CPU or use every CPU there is.
///
/// While one CPU can carry them, sharing it is cheaper and faster: a frame and its ack then pass
/// between processes of one core, and waking the other side is a task switch instead of an
/// interrupt to a core that sleeps (docs/decisions/0011). When it no longer can, more CPUs usually
/// answer more hits, but not where another program needs them: so that is tried, and counted.
///
///     spread   calm for a second                   →  shared
///              somewhat busier                     →  shared on trial
///     shared   the CPU is full                     →  spread on trial
///              a stranger crowds the CPU           →  spread
///              full, and hits are being refused    →  spread
///     a trial  lasts six looks. Spreading stays unless clearly fewer hits were taken than before.
///              Sharing stays if clearly more were, or as many with room to spare. A trial that
///              failed is not repeated for a while, which doubles each time.
struct CoreSharing: Equatable {
    enum Placement: Equatable { case spread, shared }

    /// What one process had since the last look.
    struct Use: Equatable {
        var ranNs: UInt64
        var waitedNs: UInt64
    }

    /// What happened since the last look.
    struct Look: Equatable {
        var nowMs: UInt64
        var elapsedNs: UInt64
        /// Of every router and worker.
        var uses: [Use]
        /// Hits that the routers took.
        var hits: UInt64
        /// Of these, refused for want of time or room.
        var refused: UInt64

        var ranNs: UInt64 { uses.reduce(0) { $0 + $1.ranNs } }
        /// CPU used, in thousandths of one.
        var permille: UInt64 { ranNs * 1000 / elapsedNs }
    }

    /// How often to look.
    static let lookEveryMs: UInt64 = 100
    /// Using that much of one CPU they are put together: room for the load to grow.
    static let calmPermille: UInt64 = 750
    static let calmMs: UInt64 = 1000
    /// Using that much of several, one may be enough: sharing saves up to a fifth.
    static let tryPermille: UInt64 = 1250
    static let fullPermille: UInt64 = 930
    static let fullLooks = 3
    /// A stranger's share of the CPU that is too much.
    static let crowdedPermille: UInt64 = 200
    static let crowdedLooks = 3
    /// Of a trial. The first is not counted: processes are on their way.
    static let trialLooks = 6
    static let holdOffFirstMs: UInt64 = 4000
    static let holdOffMostMs: UInt64 = 16_000

    private(set) var placement = Placement.spread
    private var calmSinceMs: UInt64?
    private var fullCount = 0
    private var crowdedCount = 0
    /// Hits of the last looks that were alike: a trial is held against them.
    private var before = Rate()
    private var trial: Trial?
    private var holdOffMs = holdOffFirstMs
    private var mayTryAtMs: UInt64 = 0

    private struct Rate: Equatable {
        var hits: UInt64 = 0
        var ns: UInt64 = 0

        mutating func add(_ look: Look) {
            // About the last half second: older looks count for half again and again.
            if ns > 500_000_000 { (hits, ns) = (hits / 2, ns / 2) }
            hits += look.hits
            ns += look.elapsedNs
        }

        var perSecond: UInt64 { ns == 0 ? 0 : UInt64(Double(hits) * 1e9 / Double(ns)) }
    }

    private struct Trial: Equatable {
        let before: Rate
        var looks = 0
        var rate = Rate()
        /// In one of the looks the CPU was full or crowded.
        var wasTight = false
    }

    /// Answers where routers and workers belong from now on.
    mutating func decide(_ look: Look) -> Placement {
        if look.elapsedNs == 0 { return placement }
        if trial != nil {
            goOnTrying(look)
        } else if placement == .spread {
            lookSpread(look)
        } else {
            lookShared(look)
        }
        return placement
    }

    private mutating func lookSpread(_ look: Look) {
        before.add(look)
        if look.permille > Self.calmPermille { calmSinceMs = nil }
        if look.permille <= Self.calmPermille && calmSinceMs == nil { calmSinceMs = look.nowMs }
        if look.nowMs < mayTryAtMs { return }
        if let calmSinceMs, look.nowMs >= calmSinceMs + Self.calmMs {
            holdOffMs = Self.holdOffFirstMs
            become(.shared)
        } else if calmSinceMs == nil && look.permille <= Self.tryPermille {
            attempt(.shared)
        }
    }

    private mutating func lookShared(_ look: Look) {
        if look.permille >= Self.fullPermille {
            fullCount += 1
            before.add(look)
        } else {
            fullCount = 0
            before = Rate()
        }
        crowdedCount = isCrowded(look) ? crowdedCount + 1 : 0
        if crowdedCount >= Self.crowdedLooks {
            holdOff(look.nowMs)
            become(.spread)
        } else if fullCount > 0 && look.refused > 0 {
            mayTryAtMs = look.nowMs + Self.holdOffMostMs
            become(.spread)
        } else if fullCount >= Self.fullLooks && look.nowMs >= mayTryAtMs {
            attempt(.spread)
        }
    }

    /// Alone on their CPU, a process waits only while another of them runs. What it waited beyond
    /// that, somebody else ran.
    private func isCrowded(_ look: Look) -> Bool {
        let toleratedNs = look.elapsedNs * Self.crowdedPermille / 1000
        return look.uses.contains { $0.waitedNs > look.ranNs - $0.ranNs + toleratedNs }
    }

    // MARK: Trials

    private mutating func attempt(_ next: Placement) {
        let before = before
        become(next)
        trial = Trial(before: before)
    }

    private mutating func goOnTrying(_ look: Look) {
        trial!.looks += 1
        if trial!.looks == 1 { return }
        trial!.rate.add(look)
        if look.permille >= Self.fullPermille || isCrowded(look) { trial!.wasTight = true }
        if trial!.looks < Self.trialLooks { return }
        let isBetter = isBetter(trial!)
        trial = nil
        if isBetter {
            holdOffMs = Self.holdOffFirstMs
            mayTryAtMs = look.nowMs + holdOffMs
        } else {
            holdOff(look.nowMs)
            become(placement == .spread ? .shared : .spread)
        }
    }

    private func isBetter(_ trial: Trial) -> Bool {
        let percentNeeded: UInt64 = placement == .shared && trial.wasTight ? 110 : 90
        return trial.rate.perSecond * 100 >= trial.before.perSecond * percentNeeded
    }

    private mutating func holdOff(_ nowMs: UInt64) {
        mayTryAtMs = nowMs + holdOffMs
        holdOffMs = min(holdOffMs * 2, Self.holdOffMostMs)
    }

    private mutating func become(_ next: Placement) {
        placement = next
        calmSinceMs = nil
        (fullCount, crowdedCount) = (0, 0)
        before = Rate()
    }
}
