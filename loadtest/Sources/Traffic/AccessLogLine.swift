/// One line of an access log in NCSA's common or combined format, as nginx and Apache write them:
///
///     HOST IDENT USER [10/Oct/2026:13:55:36 -0700] "GET /p.gif?event=load HTTP/1.1" 200 43
///     … the same … "https://news.example/" "Mozilla/5.0 …"
///
/// Whatever stands before the time (a virtual host, a user name with spaces) or after the last field
/// is passed over. Both servers write a quote, a backslash and bytes that would garble the log as
/// `\"`, `\\` and `\xHH`.
struct AccessLogLine {
    enum Flaw: Error {
        /// Not such a line.
        case malformed
        /// A request other than GET or HEAD: its body is not in the log.
        case method
        /// A target, Referer or User-Agent that cannot be sent as it stands: of another form than
        /// /path, longer than `fieldBytesMax`, or with spaces or controls in it.
        case unsendable
    }

    static let fieldBytesMax = 8 << 10

    /// Seconds since 1970.
    var seconds: Int64
    var isHead: Bool
    var target: UnsafeMutableBufferPointer<UInt8>
    /// Empty where there is none.
    var referer: UnsafeMutableBufferPointer<UInt8>
    var userAgent: UnsafeMutableBufferPointer<UInt8>

    /// Reads a line without its end. Fields are unescaped where they stand, so a line is read once.
    init(_ line: UnsafeMutableBufferPointer<UInt8>) throws(Flaw) {
        var cursor = LogCursor(line)
        seconds = try cursor.readTime()
        let request = try cursor.readQuoted()
        guard let firstSpace = request.firstIndex(of: 0x20),
            let lastSpace = request.lastIndex(of: 0x20), firstSpace < lastSpace,
            Self.isVersion(request[(lastSpace + 1)...])
        else { throw .malformed }
        try cursor.readStatus()
        let method = request[..<firstSpace]
        guard !method.isEmpty, method.allSatisfy(isTokenByte) else { throw .malformed }
        isHead = method.elementsEqual("HEAD".utf8)
        target = UnsafeMutableBufferPointer(rebasing: request[(firstSpace + 1)..<lastSpace])
        // The common format ends here.
        let none = UnsafeMutableBufferPointer(rebasing: line[0..<0])
        (referer, userAgent) = (none, none)
        if cursor.skipToQuote() {
            referer = try Self.field(cursor.readQuoted())
            if cursor.skipToQuote() { userAgent = try Self.field(cursor.readQuoted()) }
        }
        guard isHead || method.elementsEqual("GET".utf8) else { throw .method }
        guard target.first == UInt8(ascii: "/"), target.count <= Self.fieldBytesMax,
            target.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "#") })
        else { throw .unsendable }
    }

    /// "-" is nothing.
    private static func field(
        _ text: UnsafeMutableBufferPointer<UInt8>
    ) throws(Flaw) -> UnsafeMutableBufferPointer<UInt8> {
        if text.count == 1, text[0] == UInt8(ascii: "-") {
            return UnsafeMutableBufferPointer(rebasing: text[0..<0])
        }
        guard text.count <= fieldBytesMax, text.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw .unsendable
        }
        return text
    }

    private static func isVersion(_ text: Slice<UnsafeMutableBufferPointer<UInt8>>) -> Bool {
        text.count >= 6 && text.prefix(5).elementsEqual("HTTP/".utf8)
    }
}

/// Reads a line from left to right.
private struct LogCursor {
    private let line: UnsafeMutableBufferPointer<UInt8>
    private var at = 0

    init(_ line: UnsafeMutableBufferPointer<UInt8>) { self.line = line }

    /// The first bracketed time.
    mutating func readTime() throws(AccessLogLine.Flaw) -> Int64 {
        while at < line.count {
            if line[at] == UInt8(ascii: "["), let time = LogTime(line[(at + 1)...]) {
                at += 1 + LogTime.byteCount + 1
                return time.seconds
            }
            at += 1
        }
        throw .malformed
    }

    /// Goes on to a quote that blanks alone come before; false where there is none.
    mutating func skipToQuote() -> Bool {
        // The count of bytes, "43" or "-", may stand in between.
        while at < line.count, line[at] != UInt8(ascii: "\"") {
            let byte = line[at]
            let mayPass =
                byte == 0x20 || byte == UInt8(ascii: "-") || (48...57).contains(byte)
            if !mayPass { return false }
            at += 1
        }
        return at < line.count
    }

    /// What stands between quotes, unescaped.
    mutating func readQuoted() throws(AccessLogLine.Flaw) -> UnsafeMutableBufferPointer<UInt8> {
        while at < line.count, line[at] == 0x20 { at += 1 }
        guard at < line.count, line[at] == UInt8(ascii: "\"") else { throw .malformed }
        at += 1
        let start = at
        var end = at
        while at < line.count {
            let byte = line[at]
            at += 1
            if byte == UInt8(ascii: "\"") {
                return UnsafeMutableBufferPointer(rebasing: line[start..<end])
            }
            line[end] = byte == UInt8(ascii: "\\") ? unescaped() : byte
            end += 1
        }
        throw .malformed
    }

    /// The byte after a backslash; a backslash that escapes nothing stands for itself.
    private mutating func unescaped() -> UInt8 {
        guard at < line.count else { return UInt8(ascii: "\\") }
        switch line[at] {
        case UInt8(ascii: "x"):
            guard at + 2 < line.count, let high = hexDigit(line[at + 1]),
                let low = hexDigit(line[at + 2])
            else { return UInt8(ascii: "\\") }
            at += 3
            return high << 4 | low
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            at += 1
            return line[at - 1]
        case UInt8(ascii: "t"): return controlled(9)
        case UInt8(ascii: "n"): return controlled(10)
        case UInt8(ascii: "r"): return controlled(13)
        case UInt8(ascii: "v"): return controlled(11)
        case UInt8(ascii: "b"): return controlled(8)
        default: return UInt8(ascii: "\\")
        }
    }

    private mutating func controlled(_ byte: UInt8) -> UInt8 {
        at += 1
        return byte
    }

    /// ` 200` with a space or the line's end behind it.
    mutating func readStatus() throws(AccessLogLine.Flaw) {
        guard at + 4 <= line.count, line[at] == 0x20,
            line[(at + 1)..<(at + 4)].allSatisfy({ (48...57).contains($0) }),
            at + 4 == line.count || line[at + 4] == 0x20
        else { throw .malformed }
        at += 4
    }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
    default: nil
    }
}

/// `10/Oct/2026:13:55:36 -0700` and the bracket behind it.
struct LogTime {
    static let byteCount = 26
    let seconds: Int64

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    init?(_ bytes: Slice<UnsafeMutableBufferPointer<UInt8>>) {
        guard bytes.count > Self.byteCount else { return nil }
        let text = UnsafeMutableBufferPointer(rebasing: bytes.prefix(Self.byteCount + 1))
        func number(_ first: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for byte in text[first..<first + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        let marks: [(Int, Character)] = [
            (2, "/"), (6, "/"), (11, ":"), (14, ":"), (17, ":"), (20, " "), (26, "]"),
        ]
        guard marks.allSatisfy({ text[$0.0] == $0.1.asciiValue }),
            let month = Self.months.firstIndex(where: { $0.elementsEqual(text[3..<6]) }),
            let day = number(0, 2), let year = number(7, 4), let hour = number(12, 2),
            let minute = number(15, 2), let second = number(18, 2), let zoneHours = number(22, 2),
            let zoneMinutes = number(24, 2), text[21] == 0x2b || text[21] == 0x2d,
            (1...31).contains(day), year >= 1970, hour < 24, minute < 60, second <= 60,
            zoneHours < 24, zoneMinutes < 60
        else { return nil }
        let offset = (zoneHours * 3600 + zoneMinutes * 60) * (text[21] == 0x2d ? -1 : 1)
        seconds =
            Self.days(year, Int64(month) + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
            - offset
    }

    /// Days from 1970-01-01, by years that begin in March so that the leap day is the last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let fromMarch = (month + 9) % 12
        let dayOfYear = (153 * fromMarch + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
