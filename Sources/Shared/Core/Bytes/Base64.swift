import CBytes

/// Decodes standard base64, padding required, no white space.
///
/// - Parameter room: for `text.count / 4 * 3` bytes.
/// - Returns: bytes written; nil when the text is not base64.
public func decodeBase64(_ text: UnsafeRawBufferPointer, into room: UnsafeMutableRawPointer) -> Int?
{
    guard let base = text.baseAddress else { return 0 }
    let count = cbytes_base64_decode(
        base.assumingMemoryBound(to: UInt8.self), text.count,
        room.assumingMemoryBound(to: UInt8.self))
    return count < 0 ? nil : count
}
