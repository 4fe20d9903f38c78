/// The first line of a response, "HTTP/1.1 200 OK"; nil when it is not one.
struct HTTPStatusLine {
    var isVersion11: Bool
    var status: Int

    init?(_ head: [UInt8]) {
        guard head.count >= 13, head.starts(with: "HTTP/1.".utf8),
            head[7] == UInt8(ascii: "1") || head[7] == UInt8(ascii: "0"), head[8] == 0x20,
            head[12] == 0x20 || head[12] == 0x0D
        else { return nil }
        isVersion11 = head[7] == UInt8(ascii: "1")
        status = 0
        for at in 9..<12 {
            let digit = head[at] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            status = status * 10 + Int(digit)
        }
        guard (100...599).contains(status) else { return nil }
    }
}

/// The header fields of a response's whole head, one after the other, in place.
struct HTTPFields {
    struct Field {
        var name: UnsafeRawBufferPointer
        /// Without the white space around it.
        var value: UnsafeRawBufferPointer

        /// `name` is lower case.
        func isNamed(_ name: StaticString) -> Bool { self.name.isCaseless(name) }
    }

    private let head: UnsafeRawBufferPointer
    private var at: Int
    /// A line was no field: there is nothing after it.
    private(set) var isMalformed = false

    init(_ head: UnsafeRawBufferPointer) {
        self.head = head
        at = Self.lineEnd(head, from: 0) + 2
    }

    mutating func next() -> Field? {
        let end = Self.lineEnd(head, from: at)
        if isMalformed || end <= at { return nil }
        let line = UnsafeRawBufferPointer(rebasing: head[at..<end])
        at = end + 2
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            isMalformed = true
            return nil
        }
        return Field(
            name: UnsafeRawBufferPointer(rebasing: line[..<colon]),
            value: UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]).trimmed)
    }

    private static func lineEnd(_ head: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        while at + 1 < head.count {
            if head[at] == 0x0D, head[at + 1] == 0x0A { return at }
            at += 1
        }
        return head.count
    }
}

extension UnsafeRawBufferPointer {
    var trimmed: UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var (start, end) = (0, count)
        while start < end, isSpace(self[start]) { start += 1 }
        while start < end, isSpace(self[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// Equal to a lower-case word but for the case of ASCII letters.
    func isCaseless(_ word: StaticString) -> Bool {
        count == word.utf8CodeUnitCount && hasCaseless(word, at: 0)
    }

    func containsCaseless(_ word: StaticString) -> Bool {
        var at = 0
        while at + word.utf8CodeUnitCount <= count {
            if hasCaseless(word, at: at) { return true }
            at += 1
        }
        return false
    }

    private func hasCaseless(_ word: StaticString, at start: Int) -> Bool {
        for at in 0..<word.utf8CodeUnitCount {
            let byte = self[start + at]
            let isUpper = byte &- UInt8(ascii: "A") < 26
            if (isUpper ? byte | 0x20 : byte) != word.utf8Start[at] { return false }
        }
        return true
    }

    /// A whole number of one to nine digits and nothing else.
    var wholeNumber: Int? {
        guard (1...9).contains(count) else { return nil }
        var value = 0
        for byte in self {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
