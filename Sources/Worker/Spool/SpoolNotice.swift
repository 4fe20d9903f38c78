/// What an operator is told of a spool once, when it is met.
enum SpoolNotice: Equatable {
    case moved(MovedAside)
    /// The cursor's path.
    case cursorDamaged(String)
    /// There is none, though hits were in segments that are gone: nothing else knows of them.
    case cursorGone(String, hitsBefore: UInt64)
    /// Found at the start.
    case missing(folder: String, hits: UInt64)
    /// Rows that Firehose refuses are in a file there.
    case refusedKept(folder: String, hits: UInt64)

    /// Its line in the log.
    var line: String {
        switch self {
        case .moved(let moved): moved.line
        case .cursorDamaged(let path):
            "spool: \(path) is damaged or of another version: delivery begins at the oldest "
                + "segment, and the cursor is written anew"
        case .cursorGone(let path, let hits):
            "spool: \(path) is gone: delivery begins at the oldest segment; the \(hits) hits before "
                + "it count as delivered, which nothing can prove"
        case .missing(let folder, let hits):
            "spool: \(hits) hits are missing in \(folder) and count as dropped; where: hydrant "
                + "spool verify"
        case .refusedKept(let folder, let hits):
            "spool: \(hits) rows that Firehose refuses are kept in a file in \(folder)"
        }
    }
}

extension MovedAside {
    var line: String {
        "spool: \(path) is not of this spool, or cannot be read: kept as \(newPath)"
    }
}
