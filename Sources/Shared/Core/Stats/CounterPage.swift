import Synchronization

/// One incarnation's page of the counter file, as its process writes it. That process is the only
/// writer, so counting is a plain load and store with no lock prefix; others read at any time and
/// never see a torn word.
///
///     offset 0    identity line, 64 B (see `CounterIdentity`)
///     offset 64   one UInt64 a `Counter`, in its order
///     offset 2048 texts of 512 B (see `CounterText`)
public struct CounterPage: @unchecked Sendable {
    public static let byteCount = 4096
    public static let countersOffset = 64
    public static let textsOffset = 2048
    public static let countersMax = (textsOffset - countersOffset) / 8

    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
    public let base: UnsafeMutableRawPointer

    public init(at base: UnsafeMutableRawPointer) {
        self.base = base
        words = (base + Self.countersOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inlinable @inline(always)
    public func add(_ amount: UInt64 = 1, to counter: Counter) {
        let word = words + counter.rawValue
        word.pointee.store(word.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    @inlinable @inline(always)
    public func set(_ counter: Counter, to value: UInt64) {
        words[counter.rawValue].store(value, ordering: .relaxed)
    }

    @inlinable @inline(always)
    public func raise(_ counter: Counter, to value: UInt64) {
        if value > self.value(of: counter) { set(counter, to: value) }
    }

    @inlinable @inline(always)
    public func value(of counter: Counter) -> UInt64 {
        words[counter.rawValue].load(ordering: .relaxed)
    }
}
