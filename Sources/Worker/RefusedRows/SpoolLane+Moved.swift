import Core
import Platform

enum MoveOutcome {
    /// All of it is in the lane, and as durable as the lane's rows are.
    case stored
    /// It is written and not durable yet: ask again.
    case notDurable
    /// The lane could not take all of it: ask again.
    case refused(AppendOutcome)
}

/// The bad lane takes what the good lane's Firehose stream refuses.
extension SpoolLane {
    /// Asked again, it appends only what is not there yet.
    mutating func take(_ moved: MovedBatch, as incarnation: UInt64) -> MoveOutcome {
        let origin = Origin(slot: MovedBatch.slot, incarnation: incarnation)
        for part in moved.parts where !holds(origin, part.sequence) {
            let outcome = append(moved, part, origin)
            guard case .stored = outcome else { return .refused(outcome) }
        }
        guard isSyncing else {
            // Best effort: the cursor is not to get to the disk much earlier.
            if activeFile >= 0 { try? files.syncData(activeFile) }
            return .stored
        }
        let isDurable = moved.parts.allSatisfy { durableOrigins.holds(origin, $0.sequence) }
        return isDurable ? .stored : .notDurable
    }

    /// Whether this bad lane must delete nothing: the bad stream may have taken what there is of a
    /// move before the good lane's cursor steps, and a start that did not find it would set the rows
    /// aside again. But for a lane that is full of what is delivered: nothing would ever go on.
    func mustKeep(_ moved: MovedBatch, as incarnation: UInt64) -> Bool {
        let origin = Origin(slot: MovedBatch.slot, incarnation: incarnation)
        guard moved.parts.contains(where: { holds(origin, $0.sequence) }) else { return false }
        let isWhole = moved.parts.allSatisfy { holds(origin, $0.sequence) }
        return isWhole || undeliveredHits > 0 || byteCount < bytesMax
    }

    private mutating func append(
        _ moved: MovedBatch, _ part: MovedBatch.Part, _ origin: Origin
    ) -> AppendOutcome {
        // A copy, because the disk would not promise to keep the first: like a batch that a router
        // sends again, it counts as rows of its own.
        let isCopy = part.sequence <= movedSequence
        let record = UnsafeMutableRawPointer.allocate(
            byteCount: Self.headroom + part.bytes.count, alignment: 16)
        defer { record.deallocate() }
        moved.rows.withUnsafeBytes {
            (record + Self.headroom).copyMemory(
                from: $0.baseAddress! + part.bytes.lowerBound, byteCount: part.bytes.count)
        }
        let outcome = append(
            record, payloadBytes: part.bytes.count, hitCount: part.hitCount,
            kind: isCopy ? .rows : .moved, origin: origin, sequence: part.sequence,
            receivedAtMicroseconds: moved.receivedAtMicroseconds)
        if case .stored = outcome { movedSequence = max(movedSequence, part.sequence) }
        return outcome
    }

    /// Completed moves out of a good lane that stands at `passed` and has `cumulativeHits`, by how
    /// far its cursor was to step: mostly none.
    func unfinishedMoves(
        passed: UInt64, cumulativeHits: UInt64
    ) -> [UInt64: (hits: UInt64, receivedAtMicroseconds: UInt64)] {
        func isAhead(_ sequence: UInt64) -> Bool {
            let step = MovedBatch.passed(sequence)
            return step > passed && step <= cumulativeHits
        }
        guard origins.highest(ofSlot: MovedBatch.slot).contains(where: isAhead) else { return [:] }
        var hits: [Origin: [UInt64: UInt64]] = [:]
        var moves: [UInt64: (hits: UInt64, receivedAtMicroseconds: UInt64)] = [:]
        var reader = SegmentReader(files)
        var counted: UInt64 = 0
        for segment in activeFile >= 0 ? segments + [active] : segments {
            guard let file = try? files.open(folder.segment(segment.number)) else { continue }
            reader.start(file: file, segment: segment.number, at: 0)
            while let header = reader.next(limit: segment.byteCount)?.header {
                // What was written again after a failed sync has the counts of the first.
                guard header.kind == .moved, header.cumulativeHits > counted else { continue }
                counted = header.cumulativeHits
                guard isAhead(header.sequence) else { continue }
                let step = MovedBatch.passed(header.sequence)
                hits[header.origin, default: [:]][step, default: 0] += UInt64(header.hitCount)
                if MovedBatch.isLast(header.sequence) {
                    moves[step] = (hits[header.origin]![step]!, header.receivedAtMicroseconds)
                }
            }
        }
        return moves
    }

    /// This good lane's cursor takes the steps that a death kept it from.
    mutating func finish(
        _ moves: [UInt64: (hits: UInt64, receivedAtMicroseconds: UInt64)]
    ) {
        if moves.isEmpty { return }
        var (hits, dropped, setAside) = (UInt64(0), UInt64(0), UInt64(0))
        while case .record(let view) = readNext() {
            hits += UInt64(view.hitCount)
            dropped += view.droppedBefore
            guard let move = moves[readPassed],
                move.receivedAtMicroseconds == view.receivedAtMicroseconds,
                setAside + move.hits <= hits
            else { continue }
            setAside += move.hits
            commit(
                to: view.end, delivered: hits - setAside, setAside: setAside, dropped: dropped)
            (hits, dropped, setAside) = (0, 0, 0)
        }
        rewind()
    }
}
