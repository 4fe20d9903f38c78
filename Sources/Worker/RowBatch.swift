import Core
import Glibc

/// The rows of one frame for one lane, put together in place: behind room for the spool record's
/// header, so that header and rows leave in one write.
///
///     0 ..< headroom                     the record's header, written by the lane
///     headroom ..< headroom + byteCount  finished NDJSON
struct RowBatch: ~Copyable {
    /// A frame holds 64 KiB of hits. Text may grow sixfold as JSON, and each row adds its column
    /// names; beyond that, one row of the largest size must always fit.
    static let payloadBytesMax = 8 * Limits.frameBytesMax + Limits.frameHitsMax * 2048

    let base: UnsafeMutableRawPointer
    private(set) var byteCount = 0
    private(set) var hitCount = 0
    private(set) var receivedAtMicroseconds: UInt64 = 0

    init() {
        base = .allocate(
            byteCount: SpoolLane.headroom + Self.payloadBytesMax + RowEncoder.rowBytesMax,
            alignment: 64)
    }

    deinit { base.deallocate() }

    mutating func clear() {
        byteCount = 0
        hitCount = 0
    }

    /// Where the next row goes: `RowEncoder.rowBytesMax` bytes are free there.
    var end: UnsafeMutablePointer<UInt8> {
        (base + SpoolLane.headroom + byteCount).assumingMemoryBound(to: UInt8.self)
    }

    /// The row at `end` is finished.
    mutating func commit(_ rowBytes: Int, receivedAtMicroseconds: UInt64) {
        if hitCount == 0 { self.receivedAtMicroseconds = receivedAtMicroseconds }
        byteCount += rowBytes
        hitCount += 1
        precondition(byteCount <= Self.payloadBytesMax)
    }
}
