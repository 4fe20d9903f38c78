import Core
import Platform

enum AppendOutcome {
    /// The record is in the file, whole.
    case stored
    /// The lane is at its byte cap; delivering frees room.
    case full
    /// The disk refuses; nothing of the record remains. The next append tries again.
    case failed(Failure)
}

extension SpoolLane {
    /// Appends one frame's rows with a single write. `buffer` holds 56 free bytes, into which the
    /// record's header is written, and behind them the payload: whole rows, 1 B to 4 MiB.
    mutating func append(
        _ buffer: UnsafeMutableRawPointer, payloadBytes: Int, hitCount: Int,
        kind: SpoolRecordHeader.Kind, origin: Origin, sequence: UInt64,
        receivedAtMicroseconds: UInt64
    ) -> AppendOutcome {
        guard payloadBytes > 0, payloadBytes <= SpoolRecordHeader.payloadBytesMax, hitCount > 0,
            hitCount <= UInt16.max
        else { return .failed(.tooLarge) }
        if isDetached { return refused(.failed(.removed)) }
        // What a sealed segment may lack is written again first: see SpoolLane+Sync.
        if isSyncing, isResting || (activeFile < 0 && hasUnsynced) {
            return refused(.failed(.inDoubt))
        }
        if byteCount + leaving.byteCount >= bytesMax {
            leaving.freeAll()
            if byteCount >= bytesMax, !makeRoom() { return refused(.full) }
        }

        let header = SpoolRecordHeader(
            kind: kind, hitCount: UInt16(hitCount), payloadBytes: UInt32(payloadBytes),
            origin: origin, sequence: sequence,
            cumulativeHits: cumulativeHits + UInt64(hitCount),
            receivedAtMicroseconds: receivedAtMicroseconds)
        header.write(to: buffer)
        do throws(Failure) {
            try place(buffer, count: header.recordBytes)
        } catch {
            return refused(.failed(error))
        }
        didAppend(header)
        if isSyncing {
            unsynced.keep(buffer, byteCount: header.recordBytes, hits: hitCount)
        }
        return .stored
    }

    /// Writes a record, into a new segment where that is needed.
    private mutating func place(
        _ record: UnsafeMutableRawPointer, count: Int
    ) throws(Failure) {
        do throws(Failure) {
            if !hasActiveSegment(for: count) { try openSegment() }
            try write(record, count: count)
        } catch {
            // The disk may be full of what is deleted already.
            guard error.isSpace, leaving.freeAll() else { throw error }
            if !hasActiveSegment(for: count) { try openSegment() }
            try write(record, count: count)
        }
    }

    private func hasActiveSegment(for recordBytes: Int) -> Bool {
        activeFile >= 0
            && (active.byteCount == UInt64(SegmentHead.byteCount)
                || active.byteCount + UInt64(recordBytes) <= segmentBytes
                // Left only when all of it is durable: see SpoolLane+Sync.
                || hasUnsynced)
    }

    /// Writes at the tail, all or nothing.
    private mutating func write(
        _ bytes: UnsafeMutableRawPointer, count: Int
    ) throws(Failure) {
        var failure = Failure.cutShort
        do throws(Failure) {
            var written = 0
            // A write that came out short is begun anew once: what the disk took of it is not trusted.
            for _ in 0..<2 {
                written = try files.write(activeFile, bytes, count: count, at: active.byteCount)
                if written == count { return }
            }
            // Only the rest says why: no room, or a limit of the file's size.
            _ = try files.write(
                activeFile, bytes + written, count: count - written,
                at: active.byteCount + UInt64(written))
        } catch {
            failure = error
        }
        takeBackTail(after: failure)
        throw failure
    }

    /// After a failed write: removes what is left of it. Where that cannot be done, or the fault is
    /// not one of space, the segment is no longer written to.
    private mutating func takeBackTail(after failure: Failure) {
        do throws(Failure) {
            try files.truncate(activeFile, to: active.byteCount)
            if failure.isSpace { return }
        } catch {}
        seal()
    }

    /// The active segment is not appended to any more. One without records is removed.
    mutating func seal() {
        guard activeFile >= 0 else { return }
        if activeFile != syncingFile { files.close(activeFile) }
        activeFile = -1
        segments.append(active)
        guard active.byteCount == UInt64(SegmentHead.byteCount), segments.count > 1 else { return }
        if reader.segment == active.number { reader.close() }
        guard (try? files.unlink(folder.segment(active.number))) != nil else { return }
        didRemove(active.number)
    }

    /// Opens the next segment and seals the one before.
    mutating func openSegment() throws(Failure) {
        do throws(Failure) {
            try createSegment()
        } catch {
            // No space even for a head: what is delivered already may be in the way.
            guard error.isSpace, undeliveredHits == 0 else { throw error }
            seal()
            freePassedSegments(keepNewest: false)
            try createSegment()
        }
        freePassedSegments()
    }

    private mutating func createSegment() throws(Failure) {
        try keepActive()
        let file = try createFile()
        let number = numberTaken
        do throws(Failure) {
            try writeHead(to: file, number: number, origins: origins)
            try files.syncFolder(folder.path)
        } catch {
            files.close(file)
            // Left behind it is a torn head, which recovery steps over; its number is taken.
            try? files.unlink(folder.segment(number))
            throw error
        }
        seal()
        didOpen(SegmentFile(number: number, byteCount: UInt64(SegmentHead.byteCount)), file: file)
    }

    func writeHead(
        to file: Int32, number: UInt64, origins: borrowing OriginTable
    ) throws(Failure) {
        let head = SegmentHead(
            lane: lane, shard: shard, segment: number,
            createdAtMicroseconds: realtimeMicroseconds(),
            cumulativeHits: cumulativeHits, cumulativeMoved: cumulativeMoved,
            rewrittenHits: unsynced.hitCount)
        head.write(to: scratch, origins: origins)
        let written = try files.write(file, scratch, count: SegmentHead.byteCount, at: 0)
        if written < SegmentHead.byteCount { throw .cutShort }
    }

    /// Creates the file of the next number, and the folder again when it is gone. The number counts
    /// as taken whatever comes of it.
    mutating func createFile() throws(Failure) -> Int32 {
        while true {
            guard numberTaken < SpoolCursor.segmentMax else { throw .numbersExhausted }
            numberTaken += 1
            let path = folder.segment(numberTaken)
            do throws(Failure) {
                return try files.create(path)
            } catch {
                // Somebody put a file there since the start: it is stepped over.
                if error.exists { continue }
                guard error.isAbsent else { throw error }
                try files.makeFolder(folder.path)
                return try files.create(path)
            }
        }
    }

    /// At the cap: room can be made when all that is there was passed, by a fresh segment.
    private mutating func makeRoom() -> Bool {
        guard undeliveredHits == 0, !hasUnsynced,
            !segments.isEmpty || active.byteCount > SegmentHead.byteCount
        else { return false }
        guard (try? openSegment()) != nil else { return false }
        return byteCount < bytesMax
    }
}
