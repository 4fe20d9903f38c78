import Core
import Platform

/// What begins when a lane is to be made durable.
enum LaneSync {
    /// All that it holds is durable already.
    case clean
    /// The file to sync, by whatever thread; then `finishSync`.
    case file(Int32)
    /// It could not be made durable. What was not synced is no longer kept, and the lane does not
    /// claim to hold it: its hits are to be refused.
    case lost(Failure)
}

/// `ack = "fsync"`: what a lane holds counts only once it would survive the loss of power.
///
/// One file is synced at a time, the active segment's; appending goes on meanwhile. A segment is left
/// for the next one only while no sync is under way, and after a sync of its own: so whatever is in
/// an older segment is durable, and the newest one's head claims nothing that is not.
///
/// A descriptor whose sync failed is never synced again: the kernel may have marked the pages clean
/// that it could not write, and would answer success. Its segment is sealed, and what it may lack is
/// written again, byte for byte, from memory to a new one, which says so in its head. A reader passes
/// over what it has read (the cumulative counts are the same), and takes from the copy what the first
/// segment turns out not to have. The first segment's bytes stay as they are: with luck the disk has
/// them, and the reader may be among them.
extension SpoolLane {
    /// From here on what is appended is kept in memory until it is durable. All that recovery found is
    /// made durable now. The router sends again whatever it has no answer for, and what is held is
    /// answered without being written; it was read from the page cache perhaps, left there by a
    /// predecessor that died before its sync.
    ///
    /// Where that fails nothing is claimed to be held: what comes again is written again, and
    /// delivered twice rather than not at all.
    mutating func startSyncing() -> Failure? {
        isSyncing = true
        do throws(Failure) {
            for segment in segments {
                // One that cannot be opened will not be read either.
                guard let file = try? files.open(folder.segment(segment.number)) else { continue }
                defer { files.close(file) }
                try files.syncData(file)
            }
            try files.syncFolder(folder.path)
            durableOrigins = origins.copy()
            return nil
        } catch {
            origins = OriginTable()
            return error
        }
    }

    /// Whether there is anything that a sync is yet to make durable.
    var hasUnsynced: Bool { !unsynced.isEmpty }

    /// Hits that a loss of power would leave.
    var durableHits: UInt64 { cumulativeHits - UInt64(unsynced.hitCount) }

    /// Begins to make durable what is appended up to now. A full segment is synced here and now, and
    /// sealed: half a millisecond, once a segment.
    mutating func beginSync() -> LaneSync {
        precondition(syncingFile < 0, "one sync at a time")
        if unsynced.isEmpty { return .clean }
        unsynced.cover()
        // Sealed since: a write to it failed, or it is gone.
        if activeFile < 0 { return rewriteUnsynced() }
        if active.byteCount < segmentBytes {
            syncingFile = activeFile
            return .file(activeFile)
        }
        guard (try? files.syncData(activeFile)) != nil else { return rewriteUnsynced() }
        unsynced.release(noting: &durableOrigins)
        seal()
        return .clean
    }

    /// The sync that `beginSync` asked for has ended. `.clean`: all that it covered is durable, though
    /// more may have been appended since. Never `.file`.
    mutating func finishSync(_ failure: Failure?) -> LaneSync {
        precondition(syncingFile >= 0)
        let file = syncingFile
        syncingFile = -1
        if file != activeFile { files.close(file) }
        if failure == nil, file == activeFile {
            unsynced.release(noting: &durableOrigins)
            return .clean
        }
        return rewriteUnsynced()
    }

    /// Seals the segment that cannot be trusted and makes its records durable in another.
    private mutating func rewriteUnsynced() -> LaneSync {
        seal()
        do throws(Failure) {
            try createCopy()
        } catch {
            // The records may be there all the same, and are delivered if so; nobody is promised it.
            origins = durableOrigins.copy()
            unsynced.removeAll()
            return .lost(error)
        }
        unsynced.removeAll()
        durableOrigins = origins.copy()
        return .clean
    }

    /// A new segment that begins with the records not synced, and is durable.
    private mutating func createCopy() throws(Failure) {
        let file = try createFile()
        let number = numberTaken
        let bytes = unsynced.bytes
        do throws(Failure) {
            try writeHead(to: file, number: number, origins: durableOrigins)
            let written = try files.write(
                file, bytes.baseAddress!, count: bytes.count, at: UInt64(SegmentHead.byteCount))
            if written < bytes.count { throw .cutShort }
            try files.syncData(file)
            try files.syncFolder(folder.path)
        } catch {
            files.close(file)
            try? files.unlink(folder.segment(number))
            throw error
        }
        didOpen(
            SegmentFile(number: number, byteCount: UInt64(SegmentHead.byteCount + bytes.count)),
            file: file)
    }
}
