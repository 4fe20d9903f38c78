extension RequestMaker {
    /// The first requests as text for a terminal, for --dry-run: lines end as lines do, other bytes
    /// that are not printable ASCII are written `\xHH`.
    func samples(count: Int) -> [String] {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.bytesMax)
        defer { room.deallocate() }
        return (0..<count).map { sequence in
            let request = write(UInt64(sequence), to: room)
            return Self.printable(UnsafeBufferPointer(start: room, count: request.byteCount))
        }
    }

    /// A long body is cut.
    private static func printable(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let shown = 4096
        var text = ""
        for byte in bytes.prefix(shown) {
            switch byte {
            case 13: continue
            case 10: text += "\n"
            case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16)
                text += "\\x" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        if bytes.count > shown { text += "… and \(bytes.count - shown) bytes more\n" }
        return text
    }
}
