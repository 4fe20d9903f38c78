/// What became of one hit.
public struct RowResult: Equatable, Sendable {
    public enum Kind: UInt8, Sendable { case good, bad }

    public var kind: Kind
    /// Why the row is bad; `.none` for a good one.
    public var reason: RowReason
    /// Bytes written, the newline included.
    public var byteCount: Int

    @inline(always)
    public init(kind: Kind, reason: RowReason, byteCount: Int) {
        self.kind = kind
        self.reason = reason
        self.byteCount = byteCount
    }
}

/// Why a hit is a bad row.
public enum RowReason: UInt8, CaseIterable, Sendable {
    case none
    /// A required column's parameter or header did not come.
    case missingRequired
    /// It came with nothing in it.
    case emptyRequired
    /// It came with something its type cannot hold.
    case unconvertibleRequired
    /// The hit's fields are longer than a request head may be. The router lets no such hit pass.
    case oversizedHit
    /// The hit killed workers and was stored unread.
    case crashedWorker
    /// A good row that Firehose does not take, whenever it is sent.
    case refusedByFirehose

    /// The value of the bad row's `reason`. Operators count and filter by it: never change one.
    public var code: StaticString {
        switch self {
        case .none: "none"
        case .missingRequired: "missing_required"
        case .emptyRequired: "empty_required"
        case .unconvertibleRequired: "unconvertible_required"
        case .oversizedHit: "oversized_hit"
        case .crashedWorker: "crashed_worker"
        case .refusedByFirehose: "refused_by_firehose"
        }
    }
}
