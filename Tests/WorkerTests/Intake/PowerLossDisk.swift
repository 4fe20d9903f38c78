import Glibc
import Platform
import TestSupport

/// A disk in memory that forgets what was not synced when the power goes, and that may fail to sync.
///
/// As on Linux, a failed sync leaves the pages marked clean: no later sync writes them, and what is
/// read of them may be what was written, or what the disk has.
final class PowerLossDisk: FileStandIn {
    final class File {
        fileprivate(set) var bytes: [UInt8] = []
        fileprivate var durable: [UInt8] = []
        fileprivate var dirty: [Range<Int>] = []

        fileprivate func store(_ ranges: [Range<Int>], upTo limit: Int) {
            for range in ranges {
                let end = min(range.upperBound, limit, bytes.count)
                if range.lowerBound >= end { continue }
                if durable.count < end {
                    durable += Array(repeating: 0, count: end - durable.count)
                }
                bytes.withUnsafeBytes { from in
                    durable.withUnsafeMutableBytes { to in
                        _ = memcpy(
                            to.baseAddress! + range.lowerBound,
                            from.baseAddress! + range.lowerBound,
                            end - range.lowerBound)
                    }
                }
            }
        }
    }

    /// A sync that has begun: it makes durable what was written before.
    struct Sync {
        fileprivate var file: File
        fileprivate var ranges: Int
    }

    var dice: SeededDice
    /// Asked for each sync: whether it fails.
    var syncFails: (inout SeededDice) -> Bool = { _ in false }
    /// After a failed sync reads no longer find what was written.
    var dropsPages = false
    /// ENOSPC for what needs room.
    var isFull = false
    /// EIO for each write.
    var failsWrites = false
    /// Changes until the process that makes them dies; nil: it lives.
    var changesLeft: Int?
    private(set) var isDead = false
    private(set) var syncs = 0

    private var names: [String: File] = [:]
    private var durableNames: [String: File] = [:]
    private var folders: Set<String> = []
    private var descriptors: [Int32: File] = [:]
    private var nextDescriptor: Int32 = 0

    init(seed: UInt64) { dice = SeededDice(seed: seed) }

    /// Must not outlive the disk.
    var files: Files { Files(standIn: self) }

    func bytes(_ path: String) -> [UInt8] { names[path]?.bytes ?? [] }
    func byteCount(in folder: String) -> UInt64 {
        names.reduce(0) {
            $1.key.hasPrefix(folder) && $1.key.hasSuffix(".segment")
                ? $0 + UInt64($1.value.bytes.count) : $0
        }
    }
    func setByte(_ path: String, at offset: Int, to byte: UInt8) {
        names[path]!.bytes[offset] = byte
    }

    /// Another process goes on.
    func restart() { (isDead, changesLeft) = (false, nil) }

    /// What was not synced is lost, but for some sectors of it.
    func cutPower() {
        names = durableNames
        for path in names.keys.sorted() {
            let file = names[path]!
            let luck = Int(dice.roll(3)) * 45
            for range in file.dirty {
                for start in stride(from: range.lowerBound, to: range.upperBound, by: 512)
                where dice.chance(luck) {
                    file.store([start..<min(start + 512, range.upperBound)], upTo: .max)
                }
            }
            (file.bytes, file.dirty) = (file.durable, [])
        }
    }

    // MARK: Syncing

    func beginSync(_ descriptor: Int32) -> Sync {
        let file = descriptors[descriptor]!
        return Sync(file: file, ranges: file.dirty.count)
    }

    func endSync(_ sync: Sync) -> Failure? {
        syncs += 1
        let ranges = Array(sync.file.dirty.prefix(sync.ranges))
        sync.file.dirty.removeFirst(sync.ranges)
        if !syncFails(&dice) {
            sync.file.store(ranges, upTo: .max)
            return nil
        }
        if dropsPages {
            for range in ranges {
                let durable = sync.file.durable.prefix(range.upperBound).dropFirst(range.lowerBound)
                let zeros = [UInt8](repeating: 0, count: range.count - durable.count)
                sync.file.bytes.replaceSubrange(range, with: durable + zeros)
            }
        }
        return Failure(number: EIO, call: "fdatasync")
    }

    func syncData(_ descriptor: Int32) throws(Failure) {
        try change()
        if let failure = endSync(beginSync(descriptor)) { throw failure }
    }

    func syncFolder(_ path: String) throws(Failure) {
        try change()
        if syncFails(&dice) { throw Failure(number: EIO, call: "fsync") }
        for name in Set(names.keys).union(durableNames.keys) where name.hasPrefix(path + "/") {
            durableNames[name] = names[name]
        }
    }

    // MARK: The rest

    private func change(needsRoom: Bool = false) throws(Failure) {
        if let left = changesLeft {
            if left == 0 { isDead = true }
            changesLeft = max(0, left - 1)
        }
        if isDead { throw Failure(number: EIO, call: "dead") }
        if needsRoom, isFull { throw Failure(number: ENOSPC, call: "pwrite") }
    }

    private func open(_ file: File) -> Int32 {
        nextDescriptor += 1
        descriptors[nextDescriptor] = file
        return nextDescriptor
    }

    func makeFolder(_ path: String) throws(Failure) { folders.insert(path) }

    func create(_ path: String) throws(Failure) -> Int32 {
        try change(needsRoom: true)
        if names[path] != nil { throw Failure(number: EEXIST, call: "open") }
        names[path] = File()
        return open(names[path]!)
    }

    func openOrCreate(_ path: String) throws(Failure) -> Int32 {
        if let file = names[path] { return open(file) }
        return try create(path)
    }

    func open(_ path: String) throws(Failure) -> Int32 {
        guard let file = names[path] else { throw Failure(number: ENOENT, call: "open") }
        return open(file)
    }

    func close(_ file: Int32) { descriptors[file] = nil }

    func read(
        _ descriptor: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        let file = descriptors[descriptor]!
        let start = min(Int(offset), file.bytes.count)
        let got = min(count, file.bytes.count - start)
        file.bytes.withUnsafeBytes {
            if got > 0 { target.copyMemory(from: $0.baseAddress! + start, byteCount: got) }
        }
        return got
    }

    func write(
        _ descriptor: Int32, _ bytes: UnsafeRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        // One that dies in the middle of a write leaves a part of it.
        if changesLeft == 0, !isDead {
            put(descriptor, bytes, Int(dice.roll(UInt64(count))), Int(offset))
        }
        try change(needsRoom: true)
        if failsWrites { throw Failure(number: EIO, call: "pwrite") }
        put(descriptor, bytes, count, Int(offset))
        return count
    }

    private func put(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ offset: Int) {
        let file = descriptors[descriptor]!
        let end = offset + count
        if file.bytes.count < end {
            file.bytes += Array(repeating: 0, count: end - file.bytes.count)
        }
        file.bytes.withUnsafeMutableBytes {
            _ = memcpy($0.baseAddress! + offset, bytes, count)
        }
        file.dirty.append(offset..<end)
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(Failure) {
        try change()
        if failsWrites { throw Failure(number: EIO, call: "ftruncate") }
        let file = descriptors[descriptor]!
        if file.bytes.count > Int(byteCount) { file.bytes.removeSubrange(Int(byteCount)...) }
    }

    func unlink(_ path: String) throws(Failure) {
        try change()
        guard names.removeValue(forKey: path) != nil else {
            throw Failure(number: ENOENT, call: "unlink")
        }
    }

    func rename(_ path: String, to other: String) throws(Failure) {
        try change()
        names[other] = names.removeValue(forKey: path)
    }

    func list(_ path: String) throws(Failure) -> [Files.Entry] {
        names.keys.sorted().filter { $0.hasPrefix(path + "/") }.map {
            Files.Entry(
                name: String($0.dropFirst(path.count + 1)),
                byteCount: UInt64(names[$0]!.bytes.count), isRegular: true)
        }
    }

    func lock(_ file: Int32) throws(Failure) -> Bool { true }
}
