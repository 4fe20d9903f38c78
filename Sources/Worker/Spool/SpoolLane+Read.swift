import Core
import Platform

struct SpoolRecordView {
    /// Valid until the next read.
    var payload: UnsafeRawBufferPointer
    var hitCount: Int
    var kind: SpoolRecordHeader.Kind
    var receivedAtMicroseconds: UInt64
    /// Hits lost to damage between the record before and this one.
    var droppedBefore: UInt64
    /// Where to commit to once this record is passed.
    var end: SpoolPosition
}

enum SpoolRead {
    case record(SpoolRecordView)
    /// Nothing more to read now.
    case end
}

extension SpoolLane {
    /// The next record after the read position, verified. Damage is skipped, and what it cost is
    /// known by the lane's cumulative count.
    mutating func readNext() -> SpoolRead {
        readFailure = nil
        while openForReading() {
            while let record = reader.next(limit: readLimit) {
                readPosition = SpoolPosition(segment: reader.segment, offset: record.end)
                let cumulative = record.header.cumulativeHits
                let before = cumulative - UInt64(record.header.hitCount)
                if let from = record.damagedFrom { keepAside(from..<record.start) }
                // Passed already: a copy of an older segment. Delivering it would count twice.
                if before < readPassed { continue }
                if before > readPassed, isRewritten(from: before) { break }
                let lost = before - readPassed
                if lost > 0 || !suspects.isEmpty { settleSuspects(lost: lost) }
                readPassed = cumulative
                return .record(
                    SpoolRecordView(
                        payload: record.payload, hitCount: Int(record.header.hitCount),
                        kind: record.header.kind,
                        receivedAtMicroseconds: record.header.receivedAtMicroseconds,
                        droppedBefore: lost, end: readPosition))
            }
            guard let following = segment(after: reader.segment) else { break }
            noteDamagedEnd()
            readPosition = SpoolPosition(segment: following, offset: UInt64(SegmentHead.byteCount))
            reader.close()
        }
        if readFailure == nil { passLostTail() }
        return .end
    }

    /// Hits are there that were not read, and be it that their records are damaged.
    var hasUnread: Bool { readPassed < cumulativeHits }

    /// Bytes from the read position to the tail, heads included.
    var unreadBytes: UInt64 {
        var sum: UInt64 = 0
        for segment in segments where segment.number >= readPosition.segment {
            sum += segment.byteCount
        }
        if activeFile >= 0 { sum += active.byteCount }
        return sum > readPosition.offset ? sum - readPosition.offset : 0
    }

    /// Reading begins again where the cursor is.
    mutating func rewind() {
        reader.close()
        readPosition = cursor.position
        readPassed = cursor.passed
        suspects.removeAll()
    }

    /// At a gap: whether the segment that follows begins again below `count`, because this one could
    /// not be synced. Then it has what is missing here, and all that comes after.
    private func isRewritten(from count: UInt64) -> Bool {
        guard let following = segment(after: reader.segment),
            let file = try? files.open(folder.segment(following))
        else { return false }
        defer { files.close(file) }
        guard
            case .whole(let head, _) = folder.readHead(
                file, number: following, lane: lane, shard: shard)
        else { return false }
        return head.rewrittenHits > 0 && head.hitsBeforeFirstRecord < count
    }

    /// At the end of the lane with hits missing: the records that held them, and no later one, are
    /// damaged. Once everything before is passed they are given up.
    private mutating func passLostTail() {
        guard readPassed < cumulativeHits, cursor.passed == readPassed else { return }
        let lost = cumulativeHits - readPassed
        noteDamagedEnd()
        settleSuspects(lost: lost)
        readPassed = cumulativeHits
        commit(to: max(readPosition, cursor.position), delivered: 0, dropped: lost)
    }

    /// How far the segment being read has records.
    var readLimit: UInt64 {
        if activeFile >= 0, reader.segment == active.number { return active.byteCount }
        // One that is deleted meanwhile was passed.
        return segments.first { $0.number == reader.segment }?.byteCount ?? reader.offset
    }

    private func segment(after number: UInt64) -> UInt64? {
        if let sealed = segments.first(where: { $0.number > number }) { return sealed.number }
        return activeFile >= 0 && active.number > number ? active.number : nil
    }

    /// Opens the segment of the read position, or the next one there is. False when there is none,
    /// or when it cannot be opened now.
    private mutating func openForReading() -> Bool {
        while !reader.isOpen {
            let from = readPosition.segment
            guard let number = segment(after: from == 0 ? 0 : from - 1) else { return false }
            do throws(Failure) {
                let file = try files.open(folder.segment(number))
                if isForeign(file, number) {
                    files.close(file)
                    if giveUp(number, after: nil) { continue }
                    return false
                }
                reader.start(
                    file: file, segment: number, at: number == from ? readPosition.offset : 0)
            } catch {
                guard giveUp(number, after: error) else { return false }
            }
        }
        return true
    }

    private func isForeign(_ file: Int32, _ number: UInt64) -> Bool {
        if case .foreign = folder.readHead(file, number: number, lane: lane, shard: shard) {
            return true
        }
        return false
    }

    /// The segment cannot be read: it is gone, or something else has its name. It is kept under
    /// another name, and its hits will be missed by the cumulative count. Where even that fails,
    /// reading stops: passing the segment would delete it.
    private mutating func giveUp(_ number: UInt64, after failure: Failure?) -> Bool {
        do throws(Failure) {
            if failure?.isShortage == true { throw failure! }
            if failure?.isAbsent != true {
                notices.append(.moved(try files.setAside(folder.segment(number))))
            }
        } catch {
            readFailure = error
            return false
        }
        if activeFile >= 0, number == active.number { seal() }
        didRemove(number)
        return true
    }
}
