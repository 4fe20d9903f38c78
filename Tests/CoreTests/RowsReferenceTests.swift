import Core
import TestSupport
import Testing

/// Rows against an encoder that takes one byte after the other: every byte value at every place of
/// a step of sixteen, every number, whichever columns came.
@Suite struct RowsReferenceTests {
    /// The inside of a JSON string, of bytes of which at most one alone is not ASCII.
    static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0, 0x80...0xFF: Array("\u{FFFD}".utf8)
            case 0x22, 0x5C: [0x5C, byte]
            case 0x01...0x1F:
                Array("\\u00".utf8) + [UInt8(ascii: "0") + byte >> 4]
                    + [Array("0123456789abcdef".utf8)[Int(byte & 15)]]
            default: [byte]
            }
        }
    }

    static func row(_ columns: [(String, [UInt8])]) -> [UInt8] {
        Array(RowsValueTests.prefix.utf8)
            + columns.flatMap { Array(",\"\($0.0)\":\"".utf8) + escaped($0.1) + [0x22] }
            + Array("}\n".utf8)
    }

    static let schema = Schema(columns: [
        .init(name: "id", type: .varchar(36), sources: [.hitID]),
        .init(name: "agent", type: .varchar(300), sources: [.userAgent]),
        .init(name: "referer", type: .varchar(300), sources: [.referer]),
        .init(name: "v", type: .varchar(300)),
    ])

    @Test func `every byte value at every place of a header is escaped as it should be`() throws {
        let rows = Rows(Self.schema)
        for count in 1...40 {
            for place in Set([0, count / 2, count - 1]) {
                for byte in UInt8.min...UInt8.max {
                    var text = (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) }
                    text[place] = byte
                    var hit = SampleHit("/")
                    hit.userAgent = text
                    hit.referer = Array(text.reversed())
                    try #require(
                        rows.encode(hit).row
                            == Self.row([("agent", text), ("referer", hit.referer)]))
                }
            }
        }
    }

    @Test func `every byte value at every place of a parameter is escaped as it should be`() throws
    {
        let rows = Rows(Self.schema)
        for count in 1...40 {
            for place in Set([0, count / 2, count - 1]) {
                for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "&") {
                    var text = (0..<count).map { UInt8(ascii: "G") + UInt8($0 % 20) }
                    text[place] = byte
                    let value = text.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }
                    let hit = SampleHit(bytes: Array("/?v=".utf8) + text)
                    try #require(rows.encode(hit).row == Self.row([("v", value)]))
                }
            }
        }
    }

    @Test func `every octet, every millisecond and many microseconds are written in full`() throws {
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(name: "ip", type: .varchar(45), sources: [.clientAddress]),
                .init(name: "at", type: .timestamp, sources: [.receivedAt]),
                .init(name: "ts", type: .timestamp),
            ]))
        var random = SeededDice(seed: 0x5249)
        func padded(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: width - "\(number)".count) + "\(number)"
        }
        for number in 0..<1000 {
            let octets = [number % 256, 255 - number % 256, number * 7 % 256, number / 4]
            let micros = Int.random(in: 0..<1_000_000, using: &random)
            var hit = SampleHit("/?ts=\(1_795_395_723_000 + number)")
            hit.address.replaceSubrange(12..., with: octets.map { UInt8($0) })
            hit.receivedAt = 1_795_395_723_000_000 + UInt64(micros)
            try #require(
                rows.text(hit) == RowsValueTests.prefix
                    + ",\"ip\":\"\(octets.map(String.init).joined(separator: "."))\""
                    + ",\"at\":\"2026-11-23 01:02:03.\(padded(micros, 6))\""
                    + ",\"ts\":\"2026-11-23 01:02:03.\(padded(number, 3))000\"}\n")
        }
    }

    /// More columns than one word of a set of columns has bits, names longer than a fixed copy.
    @Test(arguments: [1, 62, 63, 64, 65, 120])
    func `whichever parameters come, their columns stand in order`(columnCount: Int) throws {
        var random = SeededDice(seed: UInt64(columnCount))
        let names = (0..<columnCount).map {
            "c\($0)" + ($0 % 40 == 0 ? String(repeating: "_", count: 20 + $0 / 2) : "")
        }
        let id = Schema.Column(name: "id", type: .varchar(36), sources: [.hitID])
        let rows = Rows(
            Schema(columns: [id] + names.map { .init(name: $0, type: .varchar(50)) }))
        for _ in 0..<300 {
            let chosen = names.indices.filter { _ in Int.random(in: 0...3, using: &random) == 0 }
            let values = chosen.map { index in
                (
                    names[index],
                    Array(
                        String(repeating: "v", count: Int.random(in: 1...50, using: &random)).utf8)
                )
            }
            let query = values.shuffled(using: &random).map { name, value in
                name + "=" + String(decoding: value, as: UTF8.self)
            }
            let row = rows.encode(SampleHit("/?" + query.joined(separator: "&"))).row
            try #require(row == Self.row(values))
        }
        #expect(rows.isWithinRoom)
    }

    /// Right behind the hit lies memory that must not be touched; empty values end there too.
    @Test(arguments: ["/?x=", "/?v=", "/?v=a&x", "/?x=%41&y=", "/?v=abc&x=0123456789abcdef", "/"])
    func `a hit at the very end of memory is read no further`(target: String) throws {
        let schema = Schema(
            columns: Self.schema.columns + [.init(name: "rest", type: .super, sources: [.rest])])
        let rows = Rows(schema)
        for count in 0...40 {
            for field in 0..<2 {
                var hit = SampleHit(target)
                let text = [UInt8](repeating: UInt8(ascii: "t"), count: count)
                if field == 0 { hit.target += text } else { hit.referer = text }
                let wanted = rows.encode(hit).row
                let framed = hit.framed
                let guarded = GuardedBytes(capacity: framed.count)
                try #require(
                    guarded.holding(framed) { rows.encode(HitView($0)!) } == wanted)
            }
        }
    }
}
