import Core

/// A place in a lane, between two records.
struct SpoolPosition: Comparable {
    var segment: UInt64
    var offset: UInt64

    static func < (left: SpoolPosition, right: SpoolPosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

struct SpoolRecordView {
    /// Finished NDJSON. Valid until the next read.
    var payload: UnsafeRawBufferPointer
    var hitCount: Int
    var receivedAtMicroseconds: UInt64
    /// Hits lost between the last record and this one.
    var droppedBefore: UInt64
    /// Where the next record starts.
    var end: SpoolPosition
}

enum SpoolRead {
    case record(SpoolRecordView)
    case end
}

/// Placeholder with the agreed interface; the real lane takes its place on merge.
struct SpoolLane: ~Copyable {
    mutating func readNext() -> SpoolRead { .end }
    mutating func rewind() {}
    mutating func commit(to position: SpoolPosition, delivered: UInt64, dropped: UInt64) {}
    var undeliveredBytes: UInt64 { 0 }
}
