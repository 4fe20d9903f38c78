import Core
import Platform

/// Faults of the disk that pass, and what a lane does about those it meets while it runs.
extension SpoolLane {
    /// What was left of a lane whose folder, or a file of it, was removed or moved away.
    struct Rescue: Equatable {
        /// Bytes that were still open and are written again: what was acknowledged last.
        var rescuedBytes: UInt64 = 0
        /// Segments that are gone. What they held and nobody had delivered is dropped, and counted
        /// as soon as delivery comes by.
        var lostSegments = 0
        var lostBytes: UInt64 = 0
    }

    /// An append that did not happen, remembered for whoever wants to know why.
    mutating func refused(_ outcome: AppendOutcome) -> AppendOutcome {
        lastRefusal = outcome
        refusals += 1
        appendsAtRefusal = appends
        return outcome
    }

    /// Call about once a second: writes a cursor that could not be written, or that does not know how
    /// many hits the lane has come to, and notices when the files in use are no longer where they were. Then the folder is made again and what is open
    /// is copied into it; where that fails nothing more is taken until it works (`isDetached`),
    /// because a file without a name dies with the process.
    ///
    /// Copies up to a segment in one go, 64 MiB as a rule: rare, and nothing else matters then.
    mutating func lookAfter() -> Rescue? {
        guard isDetached || !filesAreInPlace else {
            // Not what a loss of power may take back.
            if !cursorIsWritten || (!cursorKnowsAll && !hasUnsynced) { writeCursor() }
            defer { rescueUntold = nil }
            return rescueUntold
        }
        do throws(Failure) {
            let rescue = try rescue()
            (isDetached, detachment) = (false, nil)
            return rescue
        } catch {
            (isDetached, detachment) = (true, error)
            return nil
        }
    }

    /// The disk refused the last append for want of room.
    var lacksSpace: Bool {
        guard case .failed(let failure) = lastRefusal, appends == appendsAtRefusal else {
            return false
        }
        return failure.isSpace
    }

    /// Gives back the segment in use when all of it is delivered: nothing else would, as long as
    /// nothing is appended.
    mutating func giveBackDelivered() {
        guard activeFile >= 0, active.byteCount > UInt64(SegmentHead.byteCount),
            undeliveredHits == 0, !hasUnsynced, syncingFile < 0
        else { return }
        // In this order room is made even where there is none for a head.
        try? keepActive()
        seal()
        freePassedSegments(keepNewest: false)
        leaving.freeAll()
        try? openSegment()
    }

    /// Before the segment in use is closed: were it removed, its last second would go with it.
    mutating func keepActive() throws(Failure) {
        guard activeFile >= 0, !files.leads(folder.segment(active.number), to: activeFile) else {
            return
        }
        rescueUntold = try rescue()
    }

    private var filesAreInPlace: Bool {
        (activeFile < 0 || files.leads(folder.segment(active.number), to: activeFile))
            && (cursorFile < 0 || files.leads(folder.cursor, to: cursorFile))
    }

    private mutating func rescue() throws(Failure) -> Rescue {
        var rescue = Rescue()
        var moved: [MovedAside] = []
        defer { notices += moved.map { .moved($0) } }
        try files.makeOurFolder(folder.path, noting: &moved)
        if activeFile >= 0, !files.leads(folder.segment(active.number), to: activeFile) {
            // A sync that is under way has it: `finishSync` closes it.
            activeFile = try copyAgain(
                activeFile, active, closingIt: activeFile != syncingFile)
            rescue.rescuedBytes += active.byteCount
        }
        if let read = segments.first(where: { $0.number == reader.segment }), reader.isOpen,
            !files.leads(folder.segment(read.number), to: reader.file)
        {
            files.close(try copyAgain(reader.file, read, closingIt: false))
            rescue.rescuedBytes += read.byteCount
        }
        // It goes on in the copy, where it was.
        reader.close()
        forgetAbsentSegments(&rescue)
        if cursorFile >= 0, !files.leads(folder.cursor, to: cursorFile) {
            files.close(cursorFile)
            cursorFile = -1
            cursorIsWritten = false
        }
        if !cursorIsWritten { writeCursor() }
        guard syncCursor() else { throw cursorFailure ?? .cutShort }
        try files.syncFolder(folder.path)
        return rescue
    }

    /// The open file's bytes in a new file of the same name, durable; the new descriptor.
    private mutating func copyAgain(
        _ file: Int32, _ segment: SegmentFile, closingIt: Bool = true
    ) throws(Failure) -> Int32 {
        let path = folder.segment(segment.number)
        var copy: Int32
        do throws(Failure) {
            copy = try files.create(path)
        } catch {
            guard error.exists else { throw error }
            notices.append(.moved(try files.setAside(path)))
            copy = try files.create(path)
        }
        do throws(Failure) {
            try files.copy(file, 0..<segment.byteCount, to: copy, pieceBytes: 256 << 10)
            try files.syncData(copy)
        } catch {
            files.close(copy)
            // Half a copy would be taken for the segment at the next start.
            try? files.unlink(path)
            throw error
        }
        if closingIt { files.close(file) }
        return copy
    }

    private mutating func forgetAbsentSegments(_ rescue: inout Rescue) {
        guard let entries = try? files.list(folder.path) else { return }
        let present = Set(entries.map(\.name))
        for segment in segments where !present.contains(LaneFolder.name(of: segment.number)) {
            rescue.lostSegments += 1
            rescue.lostBytes += segment.byteCount
            didRemove(segment.number)
        }
    }

    /// What is wrong now, in words and with the remedy; nil when nothing is. A refusal counts until
    /// something was stored after it.
    var trouble: String? {
        if isDetached {
            let why = detachment.map { " (\($0))" } ?? ""
            return "\(folder.path) was removed or moved and cannot be made again\(why): "
                + "hits are refused until it can"
        }
        if let lastRefusal, appends == appendsAtRefusal {
            switch lastRefusal {
            case .full where byteCount >= bytesMax:
                let key = lane == .good ? "spool.max_bytes" : "spool.bad_max_bytes"
                return "\(folder.path) is at its cap (\(key)): hits are refused until deliveries "
                    + "free room"
            case .failed(let failure):
                return "\(folder.path): \(failure): hits are refused until it can be written; "
                    + failure.diskRemedy
            case .full, .stored: break
            }
        }
        return cursorFailure.map {
            "\(folder.path)/cursor: \($0): what is delivered meanwhile comes twice after a death; "
                + $0.diskRemedy
        }
    }

    /// Nothing was refused for a while: what is remembered may be over.
    mutating func forgetRefusal() { lastRefusal = nil }
}

extension Failure {
    /// The name it goes by, in <errno.h>, matters less than what to do.
    fileprivate var diskRemedy: String {
        if isSpace { return "make room on its file system" }
        if isFileLimit { return "raise the limit of a file's size (ulimit -f)" }
        if isAbsent { return "give the folder back" }
        if isObstacle { return "let the cluster's user write there" }
        if isShortage { return "raise the limit of open files or memory" }
        return "look at the disk (dmesg) and its mount"
    }
}
