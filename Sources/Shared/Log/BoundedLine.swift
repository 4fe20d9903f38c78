/// Bytes of one line up to a limit; what does not fit is cut, and the cut shown by "…". No control
/// byte gets in but by `append`, which is for our own words.
struct BoundedLine {
    private static let mark = Array("…".utf8)
    private let byteCountMax: Int
    private var bytes: [UInt8] = []
    private var isCut = false

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
        bytes.reserveCapacity(256)
    }

    private var room: Int { byteCountMax - Self.mark.count - bytes.count }

    /// With the line end.
    var finished: [UInt8] { closed(with: "") }

    func closed(with end: String) -> [UInt8] {
        // Inside JSON the mark stands within its string already.
        let mark = isCut && end.isEmpty ? Self.mark : []
        return bytes + mark + Array(end.utf8) + [10]
    }

    mutating func append(_ text: String) {
        guard !isCut else { return }
        if text.utf8.count <= room { bytes += Array(text.utf8) } else { isCut = true }
    }

    /// Control characters become `\n`, `\u{1b}` and the like; so do those that reorder text.
    mutating func appendEscaped(_ text: String, quotes: Bool = false) {
        for scalar in text.unicodeScalars {
            if isCut { return }
            append(quotes && scalar == "\"" ? "\\\"" : escaped(scalar))
        }
    }

    private func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case _ where isHidden(scalar): "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }

    // MARK: JSON

    /// A JSON string, cut within its quotes if it must be. Three bytes stay for the rest.
    mutating func appendJSON(_ text: String) {
        guard !isCut, room > 2 else {
            isCut = true
            return
        }
        bytes.append(34)
        for scalar in text.unicodeScalars {
            let piece = jsonEscaped(scalar)
            if piece.utf8.count + 1 > room {
                bytes += Self.mark
                isCut = true
                break
            }
            bytes += Array(piece.utf8)
        }
        bytes.append(34)
    }

    /// `,"key":"value"`, whole or not at all.
    mutating func appendJSONField(_ key: String, _ value: String) {
        guard !isCut else { return }
        var field = BoundedLine(byteCountMax: byteCountMax - bytes.count)
        field.append(",")
        field.appendJSON(key)
        field.append(":")
        field.appendJSON(value)
        if !field.isCut { bytes += field.bytes }
    }

    private func jsonEscaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case _ where isHidden(scalar):
            let hex = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        default: return String(scalar)
        }
    }

    /// Control characters, and those that hide or reorder text. All are of the first plane.
    private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF: true
        default: false
        }
    }
}
