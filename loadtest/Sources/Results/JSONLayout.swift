/// Lays out JSON that has no space in it: what fits a line stays on one, the rest is indented.
struct JSONLayout {
    private static let width = 100
    private let bytes: [UInt8]
    /// For the place of an opening bracket: the place of its closing one.
    private var ends: [Int: Int] = [:]
    private var out: [UInt8] = []

    /// - Parameter compact: valid JSON as an encoder writes it.
    static func pretty(_ compact: [UInt8]) -> [UInt8] {
        var layout = JSONLayout(compact)
        layout.write(0..<compact.count, indent: 0)
        layout.out.append(UInt8(ascii: "\n"))
        return layout.out
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        out.reserveCapacity(bytes.count * 5 / 4)
        var open: [Int] = []
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): at = endOfString(at)
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(at)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): ends[open.removeLast()] = at
            default: break
            }
            at += 1
        }
    }

    /// The place of the quote that ends the string beginning at `start`.
    private func endOfString(_ start: Int) -> Int {
        var at = start + 1
        while bytes[at] != UInt8(ascii: "\"") {
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return at
    }

    /// Writes one value, or a key with its value.
    private mutating func write(_ range: Range<Int>, indent: Int) {
        let column = range.count + indent
        guard column > Self.width, let opening = firstBracket(in: range) else {
            return writeOnOneLine(range)
        }
        writeOnOneLine(range.lowerBound..<opening)
        out.append(bytes[opening])
        let end = ends[opening]!
        for (number, member) in members(of: opening, end: end).enumerated() {
            if number > 0 { out.append(UInt8(ascii: ",")) }
            newLine(indent + 2)
            write(member, indent: indent + 2)
        }
        newLine(indent)
        out.append(bytes[end])
    }

    /// Of a value, or of the value of a key.
    private func firstBracket(in range: Range<Int>) -> Int? {
        var at = range.lowerBound
        if bytes[at] == UInt8(ascii: "\"") { at = endOfString(at) + 1 }
        if at < range.upperBound, bytes[at] == UInt8(ascii: ":") { at += 1 }
        return ends[at] == nil ? nil : at
    }

    private func members(of opening: Int, end: Int) -> [Range<Int>] {
        var out: [Range<Int>] = []
        var (start, at) = (opening + 1, opening + 1)
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\""): at = endOfString(at)
            case UInt8(ascii: "{"), UInt8(ascii: "["): at = ends[at]!
            case UInt8(ascii: ","):
                out.append(start..<at)
                start = at + 1
            default: break
            }
            at += 1
        }
        if start < end { out.append(start..<end) }
        return out
    }

    private mutating func writeOnOneLine(_ range: Range<Int>) {
        var at = range.lowerBound
        while at < range.upperBound {
            if bytes[at] == UInt8(ascii: "\"") {
                let end = endOfString(at)
                out += bytes[at...end]
                at = end + 1
                continue
            }
            out.append(bytes[at])
            if bytes[at] == UInt8(ascii: ":") || bytes[at] == UInt8(ascii: ",") {
                out.append(UInt8(ascii: " "))
            }
            at += 1
        }
    }

    private mutating func newLine(_ indent: Int) {
        out.append(UInt8(ascii: "\n"))
        out += [UInt8](repeating: UInt8(ascii: " "), count: indent)
    }
}
