import Synchronization

/// The first line of a counter page: whose numbers these are.
///
///     offset 0   UInt32  magic "HYCP"
///     offset 4   UInt8   version
///     offset 5   UInt8   role (1 router, 2 worker, 3 local-firehose)
///     offset 6   UInt16  slot
///     offset 8   UInt32  pid, 0 until the process has written it
///     offset 12  UInt32  state
///     offset 16  UInt64  incarnation
///     offset 24  UInt64  heartbeat: the process's monotonic clock in milliseconds
///     offset 32  UInt64  started at, microseconds since 1970
///     offset 40  24 B    zero
///
/// Little endian. The supervisor writes the line before it spawns the process and again when it
/// folds the page of a dead one; in between the process alone writes pid, state and heartbeat.
public struct CounterIdentity: Equatable, Sendable {
    public static let byteCount = 64
    public static let magic: UInt32 = 0x5043_5948
    public static let version: UInt8 = 1

    static let pidOffset = 8
    static let stateOffset = 12
    static let heartbeatOffset = 24

    public enum State: UInt32, Sendable {
        /// Spawned: what must be read from the spool is not here yet.
        case starting = 1
        /// The ledger's counters are seeded and count.
        case ready = 2
        case stopping = 3
        /// Dead, and its totals are in the slot's retired page.
        case retired = 4
    }

    public enum Flaw: Error, Equatable {
        case magic(UInt32), version(UInt8), role(UInt8), state(UInt32)
    }

    public var role: Inheritance.Role
    public var slot: UInt16
    public var pid: UInt32
    public var state: State
    public var incarnation: UInt64
    public var heartbeatMs: UInt64
    public var startedAtMicroseconds: UInt64

    public init(
        role: Inheritance.Role, slot: UInt16, pid: UInt32 = 0, state: State = .starting,
        incarnation: UInt64, heartbeatMs: UInt64 = 0, startedAtMicroseconds: UInt64 = 0
    ) {
        self.role = role
        self.slot = slot
        self.pid = pid
        self.state = state
        self.incarnation = incarnation
        self.heartbeatMs = heartbeatMs
        self.startedAtMicroseconds = startedAtMicroseconds
    }

    public func write(to target: UnsafeMutableRawPointer) {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
        target.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
        target.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: role.layoutNumber, toByteOffset: 5, as: UInt8.self)
        target.storeBytes(of: slot.littleEndian, toByteOffset: 6, as: UInt16.self)
        target.storeBytes(of: pid.littleEndian, toByteOffset: Self.pidOffset, as: UInt32.self)
        target.storeBytes(
            of: state.rawValue.littleEndian, toByteOffset: Self.stateOffset, as: UInt32.self)
        target.storeBytes(of: incarnation.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(
            of: heartbeatMs.littleEndian, toByteOffset: Self.heartbeatOffset, as: UInt64.self)
        target.storeBytes(
            of: startedAtMicroseconds.littleEndian, toByteOffset: 32, as: UInt64.self)
    }

    /// Reads `byteCount` bytes; says what is wrong with a line that is none.
    public static func read(_ bytes: UnsafeRawPointer) throws(Flaw) -> CounterIdentity {
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard magic == Self.magic else { throw .magic(magic) }
        let version = bytes.load(fromByteOffset: 4, as: UInt8.self)
        guard version == Self.version else { throw .version(version) }
        let rawRole = bytes.load(fromByteOffset: 5, as: UInt8.self)
        guard let role = Inheritance.Role(layoutNumber: rawRole) else { throw .role(rawRole) }
        let rawState = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: stateOffset, as: UInt32.self))
        guard let state = State(rawValue: rawState) else { throw .state(rawState) }
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        return CounterIdentity(
            role: role,
            slot: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)),
            pid: UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: pidOffset, as: UInt32.self)),
            state: state,
            incarnation: word(16), heartbeatMs: word(heartbeatOffset),
            startedAtMicroseconds: word(32))
    }
}

extension Inheritance.Role {
    /// The role's byte in the counter file.
    var layoutNumber: UInt8 {
        switch self {
        case .router: 1
        case .worker: 2
        case .localFirehose: 3
        }
    }

    init?(layoutNumber: UInt8) {
        switch layoutNumber {
        case 1: self = .router
        case 2: self = .worker
        case 3: self = .localFirehose
        default: return nil
        }
    }
}

/// What a process writes of itself, each a single aligned store.
extension CounterPage {
    /// First thing in a child: who it is, so that readers can tell a living page from a dead one.
    public func announce(pid: Int32) {
        word32(CounterIdentity.pidOffset).pointee.store(
            UInt32(bitPattern: pid).littleEndian, ordering: .relaxed)
    }

    /// `.ready` only when every ledger counter has been seeded: readers trust them from then on.
    public func enter(_ state: CounterIdentity.State) {
        word32(CounterIdentity.stateOffset).pointee.store(
            state.rawValue.littleEndian, ordering: .releasing)
    }

    /// Says "alive" with the process's monotonic clock.
    public func beat(nowMs: UInt64) {
        let word = (base + CounterIdentity.heartbeatOffset)
            .assumingMemoryBound(to: Atomic<UInt64>.self)
        word.pointee.store(nowMs.littleEndian, ordering: .relaxed)
    }

    private func word32(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}
