/// Finds where the keys and values of a TOML text stand, which the TOML library does not tell.
///
/// It reads texts that the library has accepted, so it reports nothing; on any other bytes it still
/// ends, with whatever it has found. Knows tables, dotted and quoted keys, inline tables, arrays
/// (an element's path ends in "[0]", "[1]", …; the outermost only) and all four kinds of strings.
struct KeyLocator {
    /// Byte offsets. `value` is nil for what a header or a longer dotted key implied.
    struct Place: Equatable {
        var key: Int
        var value: Int?
    }

    private(set) var places: [[String]: Place] = [:]
    /// Offsets of `\u0000` in strings: the library cuts the string there.
    private(set) var nulEscapes: [Int] = []
    /// The first thing that the library does not survive: toml++ 3.4.0 asserts that it is not there
    /// and, built for release, assumes so.
    private(set) var trap: Trap?

    struct Trap: Equatable {
        /// Where the line or pair begins, and where in it the trap is.
        var statement: Int
        var offset: Int
        var reason: String
    }

    private var statement = 0

    /// Deeper than the library goes.
    private static let depthMax = 300
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var table: [String] = []
        while skipBlanksAndLines() {
            statement = at
            if peek() == UInt8(ascii: "[") {
                table = readHeader()
                skipLine()
            } else {
                readPair(in: table, depth: 0)
                skipLine()
            }
        }
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        at + ahead < bytes.count ? bytes[at + ahead] : nil
    }

    // MARK: Headers, pairs and keys

    private mutating func readHeader() -> [String] {
        at += 1
        if peek() == UInt8(ascii: "[") { at += 1 }
        skipBlanks()
        if let first = peek(), !beginsKey(first) {
            noteTrap("table header: a name must follow the bracket", at: statement)
        }
        return readKey(in: [])
    }

    private mutating func noteTrap(_ reason: String, at offset: Int) {
        if trap == nil { trap = Trap(statement: statement, offset: offset, reason: reason) }
    }

    /// "]" is left to the library, which has words for it.
    private func beginsKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private mutating func readPair(in table: [String], depth: Int) {
        let path = readKey(in: table)
        guard peek() == UInt8(ascii: "=") else { return }
        at += 1
        skipBlanks()
        note(path, value: at)
        skipValue(path, depth: depth)
    }

    /// Reads "a.b.\"c d\"" and what blanks are around it; notes every prefix.
    private mutating func readKey(in table: [String]) -> [String] {
        var path = table
        while true {
            skipBlanks()
            let start = at
            path.append(readKeyPart())
            if places[path] == nil { places[path] = Place(key: start, value: nil) }
            skipBlanks()
            guard peek() == UInt8(ascii: "."), path.count < Self.depthMax else { return path }
            at += 1
        }
    }

    private mutating func readKeyPart() -> String {
        if peek() == UInt8(ascii: "\"") || peek() == UInt8(ascii: "'") { return readString() }
        let start = at
        while let byte = peek(), isBare(byte) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "]"), UInt8(ascii: "#"),
            UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
            UInt8(ascii: " "), 9, 10, 13:
            false
        default: true
        }
    }

    private mutating func note(_ path: [String], value: Int) {
        if places[path]?.value == nil { places[path]?.value = value }
    }

    // MARK: Values

    private mutating func skipValue(_ path: [String], depth: Int) {
        guard depth < Self.depthMax else {
            at = bytes.count
            return
        }
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = readString()
        case UInt8(ascii: "["): skipArray(path, depth: depth)
        case UInt8(ascii: "{"): skipInlineTable(path, depth: depth)
        default: skipScalar()
        }
    }

    private mutating func skipScalar() {
        let start = at
        while let byte = peek(), !endsScalar(byte) { at += 1 }
        let word = bytes[start..<at]
        let separators: [UInt8] = [UInt8(ascii: "T"), UInt8(ascii: "t")]
        if word.count >= 11, word[start + 4] == UInt8(ascii: "-"),
            word[start + 7] == word[start + 4],
            separators.contains(word[start + 10]),
            !(word.count > 11 && (48...57).contains(word[start + 11]))
        {
            noteTrap("date-time: a time must follow the letter", at: start)
        }
    }

    private func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), 10: true
        default: false
        }
    }

    private mutating func skipArray(_ path: [String], depth: Int) {
        at += 1
        var index = 0
        while skipBlanksAndLines() {
            let start = at
            if peek() == UInt8(ascii: "]") {
                at += 1
                return
            }
            if peek() == UInt8(ascii: "}") {
                noteTrap("array: expected a value or \"]\", saw \"}\"", at: at)
                return
            }
            if peek() == UInt8(ascii: ",") {
                at += 1
                continue
            }
            // Of arrays within arrays no element is ever pointed at.
            let element = depth == 0 ? path + ["[\(index)]"] : path
            if depth == 0, places[element] == nil { places[element] = Place(key: at, value: at) }
            skipValue(element, depth: depth + 1)
            index += 1
            if at == start { return }
        }
    }

    private mutating func skipInlineTable(_ path: [String], depth: Int) {
        at += 1
        while skipBlanksAndLines() {
            let start = at
            if peek() == UInt8(ascii: "}") {
                at += 1
                return
            }
            if peek() == UInt8(ascii: ",") {
                at += 1
                continue
            }
            readPair(in: path, depth: depth + 1)
            if at == start { return }
        }
    }

    // MARK: Strings

    /// Reads past a string of any kind; what it says is exact for the one-line kinds that keys are.
    private mutating func readString() -> String {
        let quote = bytes[at]
        let escapes = quote == UInt8(ascii: "\"")
        let triple = peek(1) == quote && peek(2) == quote
        at += triple ? 3 : 1
        var content = [UInt8]()
        while let byte = peek() {
            if byte == quote {
                if !triple {
                    at += 1
                    break
                }
                if peek(1) == quote, peek(2) == quote {
                    at += 3
                    // Up to two quotes may stand right before the closing three.
                    while peek() == quote { at += 1 }
                    break
                }
            }
            if byte == 10, !triple { break }
            if escapes, byte == UInt8(ascii: "\\") {
                readEscape(into: &content)
            } else {
                content.append(byte)
                at += 1
            }
        }
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func readEscape(into content: inout [UInt8]) {
        let start = at
        let letter = peek(1)
        at = min(at + 2, bytes.count)
        switch letter {
        case UInt8(ascii: "n"): content.append(10)
        case UInt8(ascii: "t"): content.append(9)
        case UInt8(ascii: "r"): content.append(13)
        case UInt8(ascii: "b"): content.append(8)
        case UInt8(ascii: "f"): content.append(12)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let end = min(at + (letter == UInt8(ascii: "u") ? 4 : 8), bytes.count)
            let digits = String(decoding: bytes[at..<end], as: UTF8.self)
            guard let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
                return
            }
            at = end
            if scalar.value == 0 { nulEscapes.append(start) }
            content += Array(String(Character(scalar)).utf8)
        case .some(let other): content.append(other)
        case nil: break
        }
    }

    // MARK: Between

    private mutating func skipBlanks() {
        while let byte = peek(), byte == 32 || byte == 9 { at += 1 }
    }

    private mutating func skipLine() {
        while let byte = peek(), byte != 10 { at += 1 }
    }

    /// Skips blanks, line ends and comments; false at the end of the text.
    private mutating func skipBlanksAndLines() -> Bool {
        while let byte = peek() {
            switch byte {
            case 32, 9, 10, 13: at += 1
            case UInt8(ascii: "#"): skipLine()
            default: return true
            }
        }
        return false
    }
}
