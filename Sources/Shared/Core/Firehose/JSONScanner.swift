/// Reads JSON from front to back, in place. Just enough for the answers of a service: the caller
/// says what it expects, everything else is skipped. Bounded in depth; never recurses on names.
struct JSONScanner {
    enum Flaw: Error, Equatable { case cut, unexpected(offset: Int), tooDeep }

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    static let depthMax = 16

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next byte that is not white space, not taken.
    mutating func peek() throws(Flaw) -> UInt8 {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return bytes[offset]
            }
        }
        throw .cut
    }

    mutating func take(_ character: Unicode.Scalar) throws(Flaw) {
        guard try peek() == UInt8(ascii: character) else { throw .unexpected(offset: offset) }
        offset += 1
    }

    /// True and taken, or false and not.
    mutating func takes(_ character: Unicode.Scalar) throws(Flaw) -> Bool {
        guard try peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// Nothing but white space may be left.
    mutating func end() throws(Flaw) {
        do {
            _ = try peek()
        } catch { return }
        throw .unexpected(offset: offset)
    }

    // MARK: Values

    /// Calls `body` for each member of an object, its value being next. `body` must take the value.
    mutating func object(
        _ body: (inout JSONScanner, JSONText) throws(Flaw) -> Void
    ) throws(Flaw) {
        try take("{")
        if try takes("}") { return }
        repeat {
            let name = try text()
            try take(":")
            try body(&self, name)
        } while try takes(",")
        try take("}")
    }

    /// Calls `body` for each element of an array. `body` must take the element.
    mutating func array(_ body: (inout JSONScanner) throws(Flaw) -> Void) throws(Flaw) {
        try take("[")
        if try takes("]") { return }
        repeat { try body(&self) } while try takes(",")
        try take("]")
    }

    /// A string, checked and left where it is.
    mutating func text() throws(Flaw) -> JSONText {
        try take("\"")
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                return JSONText(
                    escaped: UnsafeRawBufferPointer(rebasing: bytes[start..<offset - 1]))
            case UInt8(ascii: "\\"): try skipEscape()
            case 0..<0x20: throw .unexpected(offset: offset - 1)
            default: break
            }
        }
        throw .cut
    }

    private mutating func skipEscape() throws(Flaw) {
        guard offset < bytes.count else { throw .cut }
        offset += 1
        switch bytes[offset - 1] {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            break
        case UInt8(ascii: "u"):
            guard offset + 4 <= bytes.count else { throw .cut }
            for at in offset..<offset + 4 where SigV4.hexValue(bytes[at]) == nil {
                throw .unexpected(offset: at)
            }
            offset += 4
        default: throw .unexpected(offset: offset - 1)
        }
    }

    /// A string, or null.
    mutating func textOrNull() throws(Flaw) -> JSONText? {
        if try peek() == UInt8(ascii: "n") {
            try literal("null")
            return nil
        }
        return try text()
    }

    /// A whole number of at most nine digits.
    mutating func count() throws(Flaw) -> Int {
        _ = try peek()
        let start = offset
        var value = 0
        while offset < bytes.count, case let digit = bytes[offset] &- 0x30, digit <= 9 {
            guard offset - start < 9 else { throw .unexpected(offset: offset) }
            value = value * 10 + Int(digit)
            offset += 1
        }
        guard offset > start else { throw .unexpected(offset: offset) }
        return value
    }

    private mutating func literal(_ word: StaticString) throws(Flaw) {
        for at in 0..<word.utf8CodeUnitCount {
            guard offset < bytes.count else { throw .cut }
            guard bytes[offset] == word.utf8Start[at] else { throw .unexpected(offset: offset) }
            offset += 1
        }
    }

    /// Any value, of no interest.
    mutating func skip(depth: Int = 0) throws(Flaw) {
        if depth > Self.depthMax { throw .tooDeep }
        switch try peek() {
        case UInt8(ascii: "{"):
            try object { (it, _) throws(Flaw) in try it.skip(depth: depth + 1) }
        case UInt8(ascii: "["):
            try array { (it) throws(Flaw) in try it.skip(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try skipNumber()
        }
    }

    private mutating func skipNumber() throws(Flaw) {
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                offset += 1
            default:
                guard offset > start else { throw .unexpected(offset: offset) }
                return
            }
        }
        guard offset > start else { throw .cut }
    }
}
