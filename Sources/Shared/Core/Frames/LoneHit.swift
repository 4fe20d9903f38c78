/// How a hit is numbered that is sent by itself because its batch was in hand when workers died.
///
/// The batch may be stored already, wholly or in one lane: its worker may have died after an append
/// and before the ack. So that no hit is stored twice, a lone hit's number says whose part it is:
///
///     origin    the batch's, all bits of its incarnation turned over: a numbering of its own
///     sequence  the batch's × 256 + the hit's place in it
///
/// - A lane that holds the batch holds all of its hits of that lane: they went there in one append.
///   Lone hits have an origin of their own, so the batch's own origin stands still in the lanes
///   until the last of them is acknowledged, and `OriginTable`, which is exact over 256 sequences
///   only, still knows the batch.
/// - Lone hits go out in rising order, one at a time; so the lanes know each of them too.
/// - An opaque frame has the number of the lone hit that it takes the place of.
public enum LoneHit {
    /// Places in a batch, and so the factor between both sequences.
    static let places: UInt64 = 256

    public static func origin(of batch: Origin) -> Origin {
        Origin(slot: batch.slot, incarnation: ~batch.incarnation)
    }

    public static func sequence(batch: UInt64, place: Int) -> UInt64 {
        batch &* places &+ UInt64(place)
    }
}

extension FrameHeader {
    /// The batch that a lone or opaque hit was first sent in.
    public var batchOrigin: Origin { LoneHit.origin(of: origin) }
    public var batchSequence: UInt64 { sequence / LoneHit.places }
}

extension OriginTable {
    /// Whether what a frame brings for this lane is in it: because the frame was here before, or,
    /// for a lone hit, the batch it is from.
    ///
    /// Not for an opaque one: nobody can say which lane its hit belongs to, so the batch in this
    /// lane does not prove the hit in it. Storing it again is the lesser fault.
    public func holds(_ header: FrameHeader) -> Bool {
        holds(header.origin, header.sequence)
            || header.kind == .lone && holds(header.batchOrigin, header.batchSequence)
    }
}
