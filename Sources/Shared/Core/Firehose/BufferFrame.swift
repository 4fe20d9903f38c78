/// The file of the local Firehose that a stream's records wait in until they become an object. A
/// call is one frame:
///
///     offset 0   UInt32  0x46594248, "HBYF" in a hex dump, little endian
///     offset 4   UInt32  payload bytes, little endian
///     offset 8   payload: the call's records, joined
///
/// A call is answered after its frame is written, so a torn frame at the end was promised to nobody
/// and is left out of the object.
public enum BufferFrame {
    public static let byteCount = 8
    public static let magic: UInt32 = 0x4659_4248

    public static func write(payloadBytes: Int, to room: UnsafeMutableRawPointer) {
        room.storeBytes(of: magic.littleEndian, as: UInt32.self)
        room.storeBytes(of: UInt32(payloadBytes).littleEndian, toByteOffset: 4, as: UInt32.self)
    }

    /// Payload bytes; nil when this is no frame's head.
    public static func read(_ head: UnsafeRawBufferPointer) -> Int? {
        guard head.count >= byteCount,
            UInt32(littleEndian: head.loadUnaligned(as: UInt32.self)) == magic
        else { return nil }
        return Int(UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    }
}
