import Core
import Platform

enum SpoolError: Error, CustomStringConvertible {
    /// Another process works on the shard.
    case locked(folder: String, pid: Int?)
    case failed(folder: String, Failure)

    var description: String {
        switch self {
        case .locked(let folder, let pid):
            let holder = pid.map { "process \($0)" } ?? "another process"
            return
                "\(folder) is in use by \(holder): stop it, or give this cluster another data folder"
        case .failed(let folder, let failure):
            return "\(folder): \(failure); check that the folder is writable and the disk has space"
        }
    }
}

/// The spool of one shard: a folder with a folder for each lane, used by one process at a time.
///
///     <spool folder>/shard-<k>/lock        held by the process that owns the shard; its pid inside
///     <spool folder>/shard-<k>/good/       segments and cursor of the good lane
///     <spool folder>/shard-<k>/bad/        the same of the bad lane
///     <spool folder>/shard-<k>/quarantine/ damaged bytes of either, if there ever were any
struct ShardSpool: ~Copyable {
    var good: SpoolLane
    var bad: SpoolLane
    private var lockFile: Int32
    private let folder: String
    private let files: Files
    /// Of the shard's folder and lock; not told yet.
    private var moved: [MovedAside]

    /// The folder of a shard within `spoolFolder`.
    static func folder(spoolFolder: String, shard: Int) -> String {
        "\(spoolFolder)/shard-\(shard)"
    }

    /// Damaged bytes of both lanes.
    static func quarantineFolder(_ shardFolder: String) -> String { "\(shardFolder)/quarantine" }

    /// Takes the shard's lock and recovers both lanes. Fails at once when another has the lock;
    /// whether to try again is the caller's to say.
    static func open(
        spoolFolder: String, shard: Int, bytesMax: UInt64, badBytesMax: UInt64,
        segmentBytes: UInt64, files: Files = Files()
    ) throws(SpoolError) -> ShardSpool {
        let folder = folder(spoolFolder: spoolFolder, shard: shard)
        var moved: [MovedAside] = []
        let lockFile = try lock(folder, files, noting: &moved)
        let quarantine = quarantineFolder(folder)
        do throws(Failure) {
            var good = try SpoolLane.open(
                folder: "\(folder)/good", lane: .good, shard: shard, bytesMax: bytesMax,
                segmentBytes: segmentBytes, quarantine: quarantine, files: files)
            var bad = try SpoolLane.open(
                folder: "\(folder)/bad", lane: .bad, shard: shard, bytesMax: badBytesMax,
                segmentBytes: segmentBytes, quarantine: quarantine, keepsPassed: true, files: files)
            finishMoves(from: &good, to: &bad)
            return ShardSpool(
                good: good, bad: bad, lockFile: lockFile, folder: folder, files: files,
                moved: moved)
        } catch {
            files.close(lockFile)
            throw .failed(folder: folder, error)
        }
    }

    /// A death came between a move of rows from lane to lane and the step of the cursor.
    private static func finishMoves(from good: inout SpoolLane, to bad: inout SpoolLane) {
        good.finish(
            bad.unfinishedMoves(
                passed: good.cursor.passed, cumulativeHits: good.cumulativeHits))
        bad.countMoved(atMost: good.cursor.setAside)
        good.countSetAside(atMost: bad.cumulativeMoved)
        releaseMoves(of: &good, in: &bad)
    }

    /// What the bad lane has of moved rows may be deleted once the good lane's cursor on disk has
    /// passed them.
    private static func releaseMoves(of good: inout SpoolLane, in bad: inout SpoolLane) {
        if !good.cursorIsWritten { good.writeCursor() }
        guard good.cursorIsWritten else { return }
        bad.keepsPassed = false
        bad.freePassedSegments()
    }

    private init(
        good: consuming SpoolLane, bad: consuming SpoolLane, lockFile: Int32, folder: String,
        files: Files, moved: [MovedAside]
    ) {
        self.moved = moved
        self.folder = folder
        self.files = files
        self.good = good
        self.bad = bad
        self.lockFile = lockFile
    }

    deinit { if lockFile >= 0 { files.close(lockFile) } }

    /// Lets go of the shard, the lock last.
    mutating func close() {
        good.close()
        bad.close()
        if lockFile >= 0 { files.close(lockFile) }
        lockFile = -1
    }

    /// What `lookAfter` found.
    enum Finding: Equatable {
        /// Files were removed behind our back, and are there again.
        case rescued(SpoolLaneName, SpoolLane.Rescue)
        /// The lock file was removed, and another process has the new one: what is in the folder is
        /// no longer what this one believes.
        case lostLock(pid: Int?)
    }

    /// Call about once a second; see the lanes' own.
    mutating func lookAfter() -> [Finding] {
        do throws(SpoolError) {
            try keepLock()
        } catch {
            guard case .locked(_, let pid) = error else {
                // The lanes cannot be made again either, and say so.
                (good.isDetached, bad.isDetached) = (true, true)
                return []
            }
            return [.lostLock(pid: pid)]
        }
        if bad.keepsPassed { Self.releaseMoves(of: &good, in: &bad) }
        // Whatever holds the room: the other lane may be the one.
        if good.lacksSpace || bad.lacksSpace {
            good.giveBackDelivered()
            bad.giveBackDelivered()
        }
        var findings: [Finding] = []
        if let rescue = good.lookAfter() { findings.append(.rescued(.good, rescue)) }
        if let rescue = bad.lookAfter() { findings.append(.rescued(.bad, rescue)) }
        return findings
    }

    /// A lock on a file that has no name any more keeps nobody out.
    private mutating func keepLock() throws(SpoolError) {
        guard lockFile >= 0, !files.leads("\(folder)/lock", to: lockFile) else { return }
        let newLock = try Self.lock(folder, files, noting: &moved)
        files.close(lockFile)
        lockFile = newLock
    }

    /// What is to be told of since the last call.
    mutating func takeNotices() -> [SpoolNotice] {
        defer { moved.removeAll() }
        return moved.map { .moved($0) } + good.takeNotices() + bad.takeNotices()
    }

    var ledger: SpoolLedger {
        var ledger = SpoolLedger()
        ledger.good = good.ledger
        ledger.bad = bad.ledger
        return ledger
    }

    private static func lock(
        _ folder: String, _ files: Files, noting moved: inout [MovedAside]
    ) throws(SpoolError) -> Int32 {
        var file: Int32 = -1
        do throws(Failure) {
            try files.makeOurFolder(folder, noting: &moved)
            file = try files.openOurs("\(folder)/lock", noting: &moved)
            if try files.lock(file) {
                writePid(to: file, files)
                return file
            }
        } catch {
            if file >= 0 { files.close(file) }
            throw .failed(folder: folder, error)
        }
        defer { files.close(file) }
        throw .locked(folder: folder, pid: readPid(file, files))
    }

    /// For the error message of whoever comes second: a full disk does not make it fail.
    private static func writePid(to file: Int32, _ files: Files) {
        let line = Array("\(processId())\n".utf8)
        try? files.truncate(file, to: 0)
        _ = try? files.write(file, line, count: line.count, at: 0)
    }

    static func readPid(_ file: Int32, _ files: Files) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 24)
        let capacity = bytes.count
        guard let got = try? files.read(file, into: &bytes, count: capacity, at: 0) else {
            return nil
        }
        return Int(
            String(decoding: bytes[..<got].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
