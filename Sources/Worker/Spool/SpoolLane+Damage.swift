import Core
import Platform

/// What becomes of bytes that are no records. Between two records they are damage. At a segment's
/// end they are a torn tail, which every kill may leave, unless the count of the next record says
/// that hits are missing.
extension SpoolLane {
    /// Segments that are damaged to their end, one after the other, and not told from torn ones yet.
    private static let suspectsMax = 64
    /// Spans that are looked at in one life; more are only counted.
    private static let spansMax = 4096

    /// The reader leaves a segment (or stands at the end of the lane): what it has found since the
    /// last record is suspect.
    mutating func noteDamagedEnd() {
        guard let from = reader.damagedFrom, reader.offset > from,
            suspects.count < Self.suspectsMax
        else { return }
        suspects.append(
            DamagedSpan(
                lane: lane, segment: reader.segment, offset: from, byteCount: reader.offset - from))
    }

    /// The next record is there, or none will come: `lost` hits are missing before it.
    mutating func settleSuspects(lost: UInt64) {
        if lost > 0 {
            for span in suspects { keepAside(span) }
            countLost(lost)
        }
        suspects.removeAll()
    }

    mutating func keepAside(_ range: Range<UInt64>) {
        keepAside(
            DamagedSpan(
                lane: lane, segment: reader.segment, offset: range.lowerBound,
                byteCount: UInt64(range.count)))
    }

    /// Copies the span to quarantine, unless that was tried before. Whether that works or not, delivery goes
    /// on.
    private mutating func keepAside(_ span: DamagedSpan) {
        guard let quarantine, damageSeen.count < Self.spansMax, damageSeen.insert(span).inserted,
            let file = try? files.open(folder.segment(span.segment))
        else {
            return
        }
        defer { files.close(file) }
        var moved: [MovedAside] = []
        defer { notices += moved.map { .moved($0) } }
        switch quarantine.keep(span, from: file, noting: &moved) {
        case .kept: quarantinedBytes += span.byteCount
        case .known: break
        case .full, .failed: quarantineRefusedBytes += span.byteCount
        }
    }

    /// Once, though it may be read again.
    private mutating func countLost(_ lost: UInt64) {
        guard readPassed + lost > damageCounted else { return }
        recordsUnreadable += 1
        hitsUnreadable += lost
        damageCounted = readPassed + lost
    }
}
