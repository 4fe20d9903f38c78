import Core
import Platform

extension SpoolLane {
    /// Moves the cursor to the end of a record that was read, having delivered, set aside or given
    /// up every hit before it: the numbers are those since the last commit, and `dropped` includes
    /// each passed record's `droppedBefore`. Segments that are passed are deleted, the cursor made
    /// durable first.
    ///
    /// When the cursor cannot be written (`cursorFailure` says why) nothing is deleted, and the next
    /// commit writes it; a death before repeats what was delivered meanwhile.
    mutating func commit(
        to position: SpoolPosition, delivered: UInt64, setAside: UInt64 = 0, dropped: UInt64 = 0
    ) {
        precondition(position >= cursor.position, "the cursor never goes back")
        precondition(delivered + setAside + dropped <= undeliveredHits, "passed what is not there")
        cursor.position = position
        cursor.delivered += delivered
        cursor.setAside += setAside
        cursor.droppedUnreadable += dropped
        cursorIsWritten = false
        missing.forget(below: cursor.passed)
        writeCursor()
        findOldest()
        freePassedSegments()
    }

    /// Writes the slot that does not hold the last good one.
    mutating func writeCursor() {
        cursor.cumulativeHits = cumulativeHits
        cursor.cumulativeMoved = cumulativeMoved
        cursor.generation += 1
        cursor.write(to: scratch)
        let slot = 1 - cursorSlot
        do throws(Failure) {
            if cursorFile < 0 { cursorFile = try openCursor() }
            let written = try files.write(
                cursorFile, scratch, count: SpoolCursor.slotBytes,
                at: UInt64(slot * SpoolCursor.slotBytes))
            if written < SpoolCursor.slotBytes { throw .cutShort }
            cursorSlot = slot
            cursorIsWritten = true
            cursorFailure = nil
        } catch {
            cursorFailure = error
        }
    }

    private mutating func openCursor() throws(Failure) -> Int32 {
        var moved: [MovedAside] = []
        defer { notices += moved.map { .moved($0) } }
        return try files.openOurs(folder.cursor, noting: &moved)
    }

    /// The cursor as it was written last has the lane's total. It is the only one to have it besides
    /// the newest segment, and tells how much is missing when that is gone.
    var cursorKnowsAll: Bool { cursor.cumulativeHits == cumulativeHits }

    /// After a failure the same descriptor would answer success for bytes it has dropped, so the
    /// file is opened and written again the next time.
    @discardableResult
    mutating func syncCursor() -> Bool {
        guard cursorIsWritten, cursorFile >= 0 else { return false }
        do throws(Failure) {
            try files.syncData(cursorFile)
            return true
        } catch {
            cursorFailure = error
            files.close(cursorFile)
            cursorFile = -1
            cursorIsWritten = false
            return false
        }
    }

    /// Deletes the segments that the cursor has passed; `leaving` has their bytes until they are
    /// freed.
    ///
    /// - Parameter keepNewest: keep one segment in any case, since it alone knows which batches the
    ///   lane holds.
    mutating func freePassedSegments(keepNewest: Bool = true) {
        var count = segments.prefix { isPassed($0) }.count
        if keepNewest, activeFile < 0, count == segments.count { count -= 1 }
        guard count > 0, !keepsPassed, !keepsMove else { return }
        // Where it could not be written the disk may take it by now, and room hangs on it.
        if !cursorIsWritten { writeCursor() }
        guard syncCursor() else { return }
        var removed = 0
        for segment in segments.prefix(count) {
            do throws(Failure) {
                try files.unlink(folder.segment(segment.number), into: &leaving)
            } catch {
                // One that somebody else deleted is gone all the same.
                if !error.isAbsent { break }
            }
            removed += 1
        }
        // A file that is open keeps its bytes, whatever became of its name.
        if reader.isOpen, segments.prefix(removed).contains(where: { $0.number == reader.segment })
        {
            reader.close()
        }
        didRemove(first: removed)
        // Should the deletion not last, the next start deletes again.
        try? files.syncFolder(folder.path)
    }

    private func isPassed(_ segment: SegmentFile) -> Bool {
        undeliveredHits == 0 || segment.number < cursor.position.segment
            || (segment.number == cursor.position.segment
                && cursor.position.offset >= segment.byteCount)
    }

    /// Looks up when the first hit after the cursor was received. Where damage hides it the last
    /// known time stands: it is not later.
    mutating func findOldest() {
        guard undeliveredHits > 0 else {
            oldestUndeliveredMicroseconds = 0
            return
        }
        guard let found = receivedAtCursor() else { return }
        oldestUndeliveredMicroseconds = found
    }

    /// Mostly the cursor is in the segment that is being read, which needs no other look at it.
    private func receivedAtCursor() -> UInt64? {
        let position = cursor.position
        let end = position.offset + UInt64(SpoolRecordHeader.byteCount)
        if reader.isOpen, reader.segment == position.segment, end <= readLimit {
            return reader.receivedAt(position.offset)
        }
        let all = activeFile >= 0 ? segments + [active] : segments
        return folder.receivedAt(from: position, in: all)
    }
}
