import Glibc
import Platform
import TestSupport

/// A disk in memory that knows what a power cut would leave of it.
///
/// A write is there for every process at once, and survives their deaths; it survives a power cut
/// only behind a sync of its file, or by luck, a sector at a time. A name survives behind a sync of
/// its folder, or by luck.
final class SimulatedDisk {
    final class File {
        fileprivate(set) var bytes: [UInt8] = []
        /// As of the last sync that succeeded.
        fileprivate var durable: [UInt8] = []
        /// What was done since.
        fileprivate var unsynced: [Change] = []
        fileprivate var lockedBy: ProcessDisk?
    }

    fileprivate enum Change {
        case write(Range<Int>)
        case truncate(Int)
    }

    /// What is wrong with it at the moment.
    struct Weather: Equatable {
        /// ENOSPC for whatever needs room.
        var isFull = false
        /// EIO for writes, for truncating too.
        var failsWrites = false
        /// EIO for syncs, and what was to be synced is dropped, as Linux does.
        var failsSyncs = false
        /// The same for every other sync, so that a second attempt may succeed.
        var failsSomeSyncs = false
        /// EROFS for every change.
        var isReadOnly = false
        /// Every other write takes only a part.
        var cutsWrites = false
    }

    var weather = Weather()
    private(set) var files: [String: File] = [:]
    private var durableFiles: [String: File] = [:]
    private var folders: Set<String> = ["/"]
    fileprivate var dice: SeededDice
    private static let sectorBytes = 512

    init(seed: UInt64) { dice = SeededDice(seed: seed) }

    /// Everything that was not synced is lost, but what luck saves. Every process must be dead.
    func cutPower() {
        for path in Set(files.keys).union(durableFiles.keys).sorted() {
            let (now, durable) = (files[path], durableFiles[path])
            if now === durable { continue }
            files[path] = dice.chance(50) ? now : durable
        }
        for path in files.keys.sorted() { survive(files[path]!) }
        durableFiles = files
    }

    private func survive(_ file: File) {
        var left = file.durable
        let luck = Int(dice.roll(3)) * 50
        for change in file.unsynced {
            switch change {
            case .truncate(let count):
                if dice.chance(luck), count < left.count { left.removeSubrange(count...) }
            case .write(let range):
                for start in stride(
                    from: range.lowerBound, to: range.upperBound, by: Self.sectorBytes)
                where dice.chance(luck) {
                    let end = min(start + Self.sectorBytes, range.upperBound, file.bytes.count)
                    if start >= end { continue }
                    if left.count < end { left += [UInt8](repeating: 0, count: end - left.count) }
                    left.replaceSubrange(start..<end, with: file.bytes[start..<end])
                }
            }
        }
        (file.bytes, file.durable, file.unsynced) = (left, left, [])
    }

    // MARK: What processes ask for

    fileprivate func folder(of path: String) -> String {
        let slash = path.lastIndex(of: "/")!
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    fileprivate func makeFolder(_ path: String) throws(Failure) {
        if folders.contains(path) { return }
        try change("mkdir", needsRoom: true)
        if files[path] != nil { throw Failure(number: EEXIST, call: "mkdir") }
        var at = path
        while folders.insert(at).inserted { at = folder(of: at) }
    }

    fileprivate func create(_ path: String) throws(Failure) -> File {
        if files[path] != nil || folders.contains(path) {
            throw Failure(number: EEXIST, call: "open")
        }
        guard folders.contains(folder(of: path)) else {
            throw Failure(number: ENOENT, call: "open")
        }
        try change("open", needsRoom: true)
        let file = File()
        files[path] = file
        return file
    }

    fileprivate func write(
        _ file: File, _ bytes: UnsafeRawPointer, _ wanted: Int, at offset: Int
    ) throws(Failure) -> Int {
        try change("pwrite", needsRoom: true)
        if weather.failsWrites { throw Failure(number: EIO, call: "pwrite") }
        let count = weather.cutsWrites && dice.chance(50) ? Int(dice.roll(UInt64(wanted))) : wanted
        put(file, bytes, count, at: offset)
        return count
    }

    /// Without a look at the weather.
    fileprivate func put(_ file: File, _ bytes: UnsafeRawPointer, _ count: Int, at offset: Int) {
        if count == 0 { return }
        let source = UnsafeRawBufferPointer(start: bytes, count: count)
        let end = offset + count
        if offset == file.bytes.count {
            file.bytes += source
        } else {
            if file.bytes.count < end {
                file.bytes += [UInt8](repeating: 0, count: end - file.bytes.count)
            }
            file.bytes.replaceSubrange(offset..<end, with: source)
        }
        file.unsynced.append(.write(offset..<end))
    }

    fileprivate func truncate(_ file: File, to count: Int) throws(Failure) {
        try change("ftruncate")
        if weather.failsWrites { throw Failure(number: EIO, call: "ftruncate") }
        if count < file.bytes.count {
            file.bytes.removeSubrange(count...)
        } else {
            file.bytes += [UInt8](repeating: 0, count: count - file.bytes.count)
        }
        file.unsynced.append(.truncate(count))
    }

    fileprivate func sync(_ file: File) throws(Failure) {
        if weather.failsSyncs || weather.failsSomeSyncs && dice.chance(50) {
            file.unsynced = []
            throw Failure(number: EIO, call: "fdatasync")
        }
        for change in file.unsynced {
            switch change {
            case .truncate(let count):
                if count < file.durable.count { file.durable.removeSubrange(count...) }
            case .write(let range):
                let end = min(range.upperBound, file.bytes.count)
                if range.lowerBound >= end { continue }
                if file.durable.count < end {
                    file.durable += [UInt8](repeating: 0, count: end - file.durable.count)
                }
                file.durable.replaceSubrange(
                    range.lowerBound..<end, with: file.bytes[range.lowerBound..<end])
            }
        }
        file.unsynced = []
    }

    fileprivate func syncFolder(_ path: String) throws(Failure) {
        guard folders.contains(path) else { throw Failure(number: ENOENT, call: "open") }
        if weather.failsSyncs { throw Failure(number: EIO, call: "fsync") }
        for (name, file) in files where folder(of: name) == path { durableFiles[name] = file }
        for name in durableFiles.keys where folder(of: name) == path && files[name] == nil {
            durableFiles[name] = nil
        }
    }

    fileprivate func unlink(_ path: String) throws(Failure) {
        try change("unlink")
        guard files.removeValue(forKey: path) != nil else {
            throw Failure(number: ENOENT, call: "unlink")
        }
    }

    fileprivate func rename(_ path: String, to other: String) throws(Failure) {
        try change("rename")
        guard let file = files.removeValue(forKey: path) else {
            throw Failure(number: ENOENT, call: "rename")
        }
        files[other] = file
    }

    fileprivate func list(_ path: String) throws(Failure) -> [Files.Entry] {
        guard folders.contains(path) else { throw Failure(number: ENOENT, call: "opendir") }
        var entries: [Files.Entry] = []
        for name in files.keys.sorted() where folder(of: name) == path {
            entries.append(
                Files.Entry(
                    name: String(name.dropFirst(path.count + 1)),
                    byteCount: UInt64(files[name]!.bytes.count), isRegular: true))
        }
        for name in folders.sorted() where name != "/" && folder(of: name) == path {
            entries.append(
                Files.Entry(
                    name: String(name.dropFirst(path.count + 1)), byteCount: 0, isRegular: false))
        }
        return entries
    }

    private func change(_ call: StaticString, needsRoom: Bool = false) throws(Failure) {
        if weather.isReadOnly { throw Failure(number: EROFS, call: call) }
        if needsRoom, weather.isFull { throw Failure(number: ENOSPC, call: call) }
    }
}

/// One process's way to the disk: its descriptors, its locks, and its death, which may come before
/// any call, and in the middle of a write.
final class ProcessDisk: FileStandIn {
    private let disk: SimulatedDisk
    private var open: [SimulatedDisk.File?] = []
    private(set) var isDead = false
    /// Changes that still happen before it dies; nil: it lives on.
    var changesLeft: Int?

    init(_ disk: SimulatedDisk) { self.disk = disk }

    var files: Files { Files(standIn: self) }

    func die() {
        isDead = true
        for file in open where file?.lockedBy === self { file?.lockedBy = nil }
        open = []
    }

    /// A call that looks.
    private func pass() throws(Failure) {
        if isDead { throw Failure(number: EIO, call: "dead") }
    }

    /// A call that changes something. Death comes instead of it when its time has come.
    private func change() throws(Failure) {
        try pass()
        guard let left = changesLeft else { return }
        changesLeft = left - 1
        if left > 0 { return }
        die()
        throw Failure(number: EIO, call: "dead")
    }

    private func file(_ descriptor: Int32) throws(Failure) -> SimulatedDisk.File {
        try pass()
        guard open.indices.contains(Int(descriptor)), let file = open[Int(descriptor)] else {
            throw Failure(number: EBADF, call: "descriptor")
        }
        return file
    }

    private func take(_ file: SimulatedDisk.File) -> Int32 {
        open.append(file)
        return Int32(open.count - 1)
    }

    func makeFolder(_ path: String) throws(Failure) {
        try change()
        try disk.makeFolder(path)
    }

    func create(_ path: String) throws(Failure) -> Int32 {
        try change()
        return take(try disk.create(path))
    }

    func openOrCreate(_ path: String) throws(Failure) -> Int32 {
        try change()
        if let file = disk.files[path] { return take(file) }
        return take(try disk.create(path))
    }

    func open(_ path: String) throws(Failure) -> Int32 {
        try pass()
        guard let file = disk.files[path] else { throw Failure(number: ENOENT, call: "open") }
        return take(file)
    }

    func close(_ descriptor: Int32) {
        guard !isDead, open.indices.contains(Int(descriptor)) else { return }
        if open[Int(descriptor)]?.lockedBy === self { open[Int(descriptor)]?.lockedBy = nil }
        open[Int(descriptor)] = nil
    }

    func read(
        _ descriptor: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        let file = try file(descriptor)
        let start = min(Int(offset), file.bytes.count)
        let got = min(count, file.bytes.count - start)
        file.bytes.withUnsafeBytes { bytes in
            if got > 0 { target.copyMemory(from: bytes.baseAddress! + start, byteCount: got) }
        }
        return got
    }

    func write(
        _ descriptor: Int32, _ bytes: UnsafeRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        let file = try file(descriptor)
        if changesLeft == 0 {
            disk.put(file, bytes, Int(disk.dice.roll(UInt64(count + 1))), at: Int(offset))
        }
        try change()
        return try disk.write(file, bytes, count, at: Int(offset))
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(Failure) {
        let file = try file(descriptor)
        try change()
        try disk.truncate(file, to: Int(byteCount))
    }

    func syncData(_ descriptor: Int32) throws(Failure) {
        let file = try file(descriptor)
        try change()
        try disk.sync(file)
    }

    func syncFolder(_ path: String) throws(Failure) {
        try change()
        try disk.syncFolder(path)
    }

    func unlink(_ path: String) throws(Failure) {
        try change()
        try disk.unlink(path)
    }

    func rename(_ path: String, to other: String) throws(Failure) {
        try change()
        try disk.rename(path, to: other)
    }

    func list(_ path: String) throws(Failure) -> [Files.Entry] {
        try pass()
        return try disk.list(path)
    }

    func lock(_ descriptor: Int32) throws(Failure) -> Bool {
        let file = try file(descriptor)
        guard file.lockedBy == nil || file.lockedBy === self else { return false }
        file.lockedBy = self
        return true
    }
}
