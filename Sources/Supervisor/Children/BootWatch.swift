/// Decides whether a cluster that is starting will never start: a role without which there is no
/// service (router, worker) of which no slot was ever ready, though each has died again and again.
struct BootWatch {
    /// Deaths of every slot that make waiting pointless.
    static let deathsMax = 5
    /// Or that long after the start, with a death of every slot.
    static let patienceMs: UInt64 = 8000

    struct Slot: Equatable {
        var wasEverReady: Bool
        var earlyDeaths: Int
    }

    /// True: exit and say why. A slot that is slow but alive is waited for.
    static func isHopeless(_ slots: [Slot], sinceStartMs: UInt64) -> Bool {
        if slots.isEmpty || slots.contains(where: \.wasEverReady) { return false }
        let enough = sinceStartMs >= patienceMs ? 1 : deathsMax
        return slots.allSatisfy { $0.earlyDeaths >= enough }
    }
}
