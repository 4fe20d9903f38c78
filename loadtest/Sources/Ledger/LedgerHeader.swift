import CBytes

/// The first 64 bytes of a ledger file, before its entries. Little-endian.
///
///     0   magic             8 bytes, "HYDRHLL" and a zero
///     8   version           UInt32, 1
///     12  run               UInt32, as in the labels
///     16  start             UInt64, microseconds since 1970: what entries count from
///     24  seed              UInt64
///     32  Hydrant's version 28 bytes of text, the rest zero
///     60  check             UInt32, CRC-32C of the 60 bytes before
struct LedgerHeader: Equatable, Sendable {
    static let byteCount = 64
    static let version: UInt32 = 1
    static let versionTextBytesMax = 28
    private static let magic: UInt64 = 0x004C_4C48_5244_5948
    private static let textAt = 32
    private static let checkAt = 60

    var run: UInt32
    var startMicroseconds: UInt64
    var seed: UInt64
    /// Cut at 28 bytes.
    var hydrantVersion: String

    /// Why bytes are no header.
    enum Flaw: Error, Equatable {
        case notALedger
        case damaged
        case version(UInt32)
    }

    /// Writes `byteCount` bytes.
    func write(to out: UnsafeMutableRawPointer) {
        out.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
        out.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
        out.storeBytes(of: Self.version.littleEndian, toByteOffset: 8, as: UInt32.self)
        out.storeBytes(of: run.littleEndian, toByteOffset: 12, as: UInt32.self)
        out.storeBytes(of: startMicroseconds.littleEndian, toByteOffset: 16, as: UInt64.self)
        out.storeBytes(of: seed.littleEndian, toByteOffset: 24, as: UInt64.self)
        for (at, byte) in hydrantVersion.utf8.prefix(Self.versionTextBytesMax).enumerated() {
            out.storeBytes(of: byte, toByteOffset: Self.textAt + at, as: UInt8.self)
        }
        let check = cbytes_crc32c(0, out, Self.checkAt)
        out.storeBytes(of: check.littleEndian, toByteOffset: Self.checkAt, as: UInt32.self)
    }

    /// Reads `byteCount` bytes.
    static func read(_ bytes: UnsafeRawPointer) throws(Flaw) -> LedgerHeader {
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        func half(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard word(0) == magic else { throw .notALedger }
        guard half(checkAt) == cbytes_crc32c(0, bytes, checkAt) else { throw .damaged }
        guard half(8) == version else { throw .version(half(8)) }
        let text = UnsafeRawBufferPointer(start: bytes + textAt, count: versionTextBytesMax)
        return LedgerHeader(
            run: half(12), startMicroseconds: word(16), seed: word(24),
            hydrantVersion: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
    }
}
