/// The counter file: who sits where in it.
///
///     page 0        header
///     then for each slot (routers, workers, local Firehose) three pages:
///       even        incarnations 0, 2, 4 … of the slot
///       odd         incarnations 1, 3, 5 …
///       retired     the supervisor's: what dead incarnations left
///
/// Header:
///
///     offset 0   8 B     magic "HYDRCNTR"
///     offset 8   UInt32  layout version
///     offset 12  UInt32  bytes of a page
///     offset 16  UInt32  router slots
///     offset 20  UInt32  worker slots
///     offset 24  UInt32  local Firehose slots
///     offset 28  UInt32  number of counters a page holds
///     offset 32  UInt64  pid of the supervisor
///     offset 40  UInt64  cluster started at, microseconds since 1970
///
/// Little endian. Two pages a slot, because a page must not be cleared while the one who wrote it
/// may still be writing; a third incarnation comes only after the first is dead and folded.
public struct CounterFileLayout: Equatable, Sendable {
    public static let magic: UInt64 = 0x5254_4E43_5244_5948
    public static let version: UInt32 = 2
    public static let pagesPerSlot = 3

    public enum Flaw: Error, Equatable {
        case cut(byteCount: Int), magic, version(UInt32), pageBytes(UInt32)
        case slots(UInt32), counters(UInt32)
    }

    public var routers: Int
    public var workers: Int
    public var localFirehoses: Int
    public var supervisorPid: UInt64
    public var startedAtMicroseconds: UInt64

    public init(
        routers: Int, workers: Int, localFirehoses: Int, supervisorPid: UInt64 = 0,
        startedAtMicroseconds: UInt64 = 0
    ) {
        self.routers = routers
        self.workers = workers
        self.localFirehoses = localFirehoses
        self.supervisorPid = supervisorPid
        self.startedAtMicroseconds = startedAtMicroseconds
    }

    public func slots(of role: Inheritance.Role) -> Int {
        switch role {
        case .router: routers
        case .worker: workers
        case .localFirehose: localFirehoses
        }
    }

    /// Bytes of the whole file.
    public var byteCount: Int {
        (1 + (routers + workers + localFirehoses) * Self.pagesPerSlot) * CounterPage.byteCount
    }

    /// Where the page of a slot's incarnation number `ordinal` (0, 1, 2 …) begins.
    public func pageOffset(_ role: Inheritance.Role, _ slot: Int, ordinal: Int) -> Int {
        (firstPage(role, slot) + ordinal % 2) * CounterPage.byteCount
    }

    public func retiredOffset(_ role: Inheritance.Role, _ slot: Int) -> Int {
        (firstPage(role, slot) + 2) * CounterPage.byteCount
    }

    private func firstPage(_ role: Inheritance.Role, _ slot: Int) -> Int {
        precondition(slot >= 0 && slot < slots(of: role), "no such slot")
        let before: Int
        switch role {
        case .router: before = 0
        case .worker: before = routers
        case .localFirehose: before = routers + workers
        }
        return 1 + (before + slot) * Self.pagesPerSlot
    }

    public func write(to target: UnsafeMutableRawPointer) {
        func word(_ value: UInt32, _ offset: Int) {
            target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
        }
        target.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
        word(Self.version, 8)
        word(UInt32(CounterPage.byteCount), 12)
        word(UInt32(routers), 16)
        word(UInt32(workers), 20)
        word(UInt32(localFirehoses), 24)
        word(UInt32(Counter.allCases.count), 28)
        target.storeBytes(of: supervisorPid.littleEndian, toByteOffset: 32, as: UInt64.self)
        target.storeBytes(of: startedAtMicroseconds.littleEndian, toByteOffset: 40, as: UInt64.self)
    }

    /// Reads a file's header and checks that the file is as long as it says.
    public static func read(_ bytes: UnsafeRawBufferPointer) throws(Flaw) -> CounterFileLayout {
        guard bytes.count >= CounterPage.byteCount, let base = bytes.baseAddress else {
            throw .cut(byteCount: bytes.count)
        }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func long(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard long(0) == magic else { throw .magic }
        guard word(8) == version else { throw .version(word(8)) }
        guard word(12) == UInt32(CounterPage.byteCount) else { throw .pageBytes(word(12)) }
        guard word(16) <= Limits.routersMax else { throw .slots(word(16)) }
        guard word(20) <= Limits.workersMax else { throw .slots(word(20)) }
        guard word(24) <= 1 else { throw .slots(word(24)) }
        guard word(28) <= CounterPage.countersMax else { throw .counters(word(28)) }
        let layout = CounterFileLayout(
            routers: Int(word(16)), workers: Int(word(20)), localFirehoses: Int(word(24)),
            supervisorPid: long(32), startedAtMicroseconds: long(40))
        guard bytes.count >= layout.byteCount else { throw .cut(byteCount: bytes.count) }
        return layout
    }
}
