/// Decides whether a cluster that is starting will never start: a role without which there is no
/// service (router, worker) of which no slot was ever ready, though each has died again and again.
/// Once a role was at work its slots, which a reload may have made anew, are waited for until the
/// last of them is given up.
struct BootWatch {
    /// Deaths of every slot that make waiting pointless.
    static let deathsMax = 5
    /// Or that long after the start, with a death of every slot.
    static let patienceMs: UInt64 = 8000

    struct Slot: Equatable {
        var wasEverReady: Bool
        var earlyDeaths: Int
        var isAbandoned = false
    }

    /// True: exit and say why. A slot that is slow but alive is waited for. `wasAtWork`: the role was
    /// once, in slots of before a reload perhaps.
    static func isHopeless(_ slots: [Slot], wasAtWork: Bool, sinceStartMs: UInt64) -> Bool {
        if slots.isEmpty || slots.contains(where: \.wasEverReady) { return false }
        if wasAtWork { return slots.allSatisfy(\.isAbandoned) }
        let enough = sinceStartMs >= patienceMs ? 1 : deathsMax
        return slots.allSatisfy { $0.earlyDeaths >= enough }
    }
}
