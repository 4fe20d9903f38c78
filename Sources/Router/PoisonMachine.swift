import Core

/// Finds the hit that kills its worker, so that one hit does not stop a shard. Knows numbers only;
/// the owner of the link tells it of deaths and does what it says.
///
/// Two workers dead with the same oldest batch, and that batch goes out hit by hit, each alone on
/// the link, before anything else. A hit that two more workers read and then died over goes out as
/// `opaque`: to be stored undecoded.
///
/// **Whom a death is blamed on.** Workers also die of other things: killed, or starting on a full
/// disk, again and again, with a batch in the link that they never saw. While batches go together
/// this does not matter, since sending a batch hit by hit changes nothing but the cost (see
/// `LoneHit`). To be stored undecoded does matter: a good hit would become a bad row. So a death
/// counts against a lone hit only when the worker had read all that the link held, which the
/// kernel tells: a socket whose end closes with bytes unread ends with a reset, not an end-of-file.
/// As the lone hit is all that is out, a worker that died over it had read it, and one that never
/// got so far had not.
struct PoisonMachine {
    /// Deaths with the same oldest batch before it goes out hit by hit; deaths over a lone hit
    /// before it goes out undecoded.
    static let deathsMax = 2

    /// A batch that is sent hit by hit.
    private struct Isolated {
        var batch: UInt64
        var hitCount: Int
        /// The hit whose turn it is.
        var place = 0
        /// Workers that read it and died.
        var deaths = 0
        var isOut = false
    }

    /// A frame with one hit, to be written to the link.
    struct LoneFrame: Equatable {
        var kind: FrameHeader.Kind
        /// The hit's place in its batch.
        var place: Int
        var sequence: UInt64
    }

    enum DeathAction: Equatable {
        /// Everything goes out again as it was.
        case sendAgain
        /// The oldest batch now goes out hit by hit.
        case isolate
        /// The lone hit now goes out undecoded.
        case goOpaque
    }

    enum AckOutcome: Equatable {
        case verdict(place: Int)
        /// The same, of the last hit: the batch is settled and what is behind it may follow.
        case lastVerdict(place: Int)
        /// Acknowledged before.
        case repeated
        /// Nothing of that number is out.
        case unexpected
    }

    private var suspect: UInt64 = 0
    private var deaths = 0
    private var isolated: Isolated?

    var isIsolating: Bool { isolated != nil }

    /// The link's other end went away by itself. `oldest`: the sequence and size of the oldest
    /// batch that was handed to this link and is not acknowledged. `hadReadAll`: no byte that the
    /// router wrote was left unread.
    mutating func workerDied(
        oldest: (sequence: UInt64, hitCount: Int)?, hadReadAll: Bool
    ) -> DeathAction {
        if let isolated { return died(over: isolated, hadReadAll: hadReadAll) }
        guard let oldest else { return .sendAgain }
        deaths = oldest.sequence == suspect ? deaths + 1 : 1
        suspect = oldest.sequence
        if deaths < Self.deathsMax { return .sendAgain }
        deaths = 0
        suspect = 0
        isolated = Isolated(batch: oldest.sequence, hitCount: oldest.hitCount)
        return .isolate
    }

    private mutating func died(over lone: Isolated, hadReadAll: Bool) -> DeathAction {
        guard lone.isOut, hadReadAll else { return .sendAgain }
        isolated?.deaths += 1
        return lone.deaths + 1 == Self.deathsMax ? .goOpaque : .sendAgain
    }

    /// A new link: what was out on the last one is not any more.
    mutating func linkOpened() { isolated?.isOut = false }

    /// The frame that is to be written now; nil while one is out, or batches go together.
    var toSend: LoneFrame? {
        guard let isolated, !isolated.isOut else { return nil }
        return LoneFrame(
            kind: isolated.deaths < Self.deathsMax ? .lone : .opaque, place: isolated.place,
            sequence: LoneHit.sequence(batch: isolated.batch, place: isolated.place))
    }

    mutating func didSend() {
        precondition(toSend != nil)
        isolated?.isOut = true
    }

    /// An ack in the numbering of lone hits.
    mutating func acknowledge(sequence: UInt64, hitCount: Int) -> AckOutcome {
        guard let lone = isolated, hitCount == 1 else { return .unexpected }
        let current = LoneHit.sequence(batch: lone.batch, place: lone.place)
        if sequence < current { return .repeated }
        guard sequence == current, lone.isOut else { return .unexpected }
        if lone.place + 1 == lone.hitCount {
            isolated = nil
            return .lastVerdict(place: lone.place)
        }
        isolated = Isolated(batch: lone.batch, hitCount: lone.hitCount, place: lone.place + 1)
        return .verdict(place: lone.place)
    }
}
