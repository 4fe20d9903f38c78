import Core

/// A request head read one byte after the other, as RFC 9112 is written and with no thought of
/// speed: what `parseRequestHead` is held against.
struct ReferenceParser {
    private struct Stop: Error { let outcome: RequestHeadOutcome }

    private let bytes: [UInt8]
    private var at = 0
    private var head = ReadHead()

    static func parse(_ bytes: some Collection<UInt8>) -> (RequestHeadOutcome, ReadHead) {
        let limit = Limits.requestHeadBytesMax
        var parser = ReferenceParser(bytes: Array(bytes.prefix(limit)))
        let isFull = bytes.count >= limit
        do throws(Stop) {
            do throws(Stop) { try parser.line() } catch {
                return (
                    error.outcome == .incomplete && isFull ? .targetTooLong : error.outcome, .init()
                )
            }
            try parser.fields()
            return (.complete, parser.head)
        } catch {
            return (error.outcome == .incomplete && isFull ? .headTooLarge : error.outcome, .init())
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func peek() throws(Stop) -> UInt8 {
        if at == bytes.count { throw Stop(outcome: .incomplete) }
        return bytes[at]
    }

    private mutating func take(while isWanted: (UInt8) -> Bool) throws(Stop) -> [UInt8] {
        let start = at
        while isWanted(try peek()) { at += 1 }
        return Array(bytes[start..<at])
    }

    private mutating func expect(_ text: String) throws(Stop) {
        for byte in text.utf8 {
            if try peek() != byte { throw Stop(outcome: .malformed) }
            at += 1
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private mutating func line() throws(Stop) {
        if try peek() == 0x0d { try expect("\r\n") }
        let method = try take(while: Self.isToken)
        if method.isEmpty { throw Stop(outcome: .malformed) }
        try expect(" ")
        let target = try take { !Self.isControl($0) && $0 != 0x20 }
        if try peek() != 0x20 || !Self.isTarget(target, method) { throw Stop(outcome: .malformed) }
        head.method =
            method == Array("GET".utf8) ? .get : method == Array("HEAD".utf8) ? .head : .other
        head.target = String(decoding: target, as: UTF8.self)
        try expect(" HTTP/")
        if bytes.count - at < 5 { throw Stop(outcome: .incomplete) }
        let (major, minor) = (bytes[at], bytes[at + 2])
        guard (0x30...0x39).contains(major), bytes[at + 1] == 0x2e, (0x30...0x39).contains(minor),
            bytes[at + 3] == 0x0d, bytes[at + 4] == 0x0a
        else { throw Stop(outcome: .malformed) }
        guard major == 0x31, minor <= 0x31 else { throw Stop(outcome: .versionUnknown) }
        head.minorVersion = minor - 0x30
        at += 5
    }

    private static func isTarget(_ target: [UInt8], _ method: [UInt8]) -> Bool {
        if target.first == 0x2f { return true }
        if target == [0x2a] { return method == Array("OPTIONS".utf8) }
        let isHostByte = { (byte: UInt8) in !"/?#".utf8.contains(byte) }
        let scheme = target.prefix {
            (0x41...0x5a).contains($0 & 0xdf) || (0x30...0x39).contains($0)
                || "+-.".utf8.contains($0)
        }
        if let first = scheme.first, (0x41...0x5a).contains(first & 0xdf) {
            let rest = target.dropFirst(scheme.count)
            if rest.starts(with: "://".utf8), let host = rest.dropFirst(3).first, isHostByte(host) {
                return true
            }
        }
        return method == Array("CONNECT".utf8) && target.count > 1 && target[0] != 0x3a
            && target.contains(0x3a) && target.allSatisfy(isHostByte)
    }

    private mutating func fields() throws(Stop) {
        var values: [String: [[UInt8]]] = [:]
        var count = 0
        while try peek() != 0x0d {
            count += 1
            if count > Limits.headerFieldsMax { throw Stop(outcome: .headTooLarge) }
            let (name, value) = try field()
            values[name, default: []].append(value)
            if name == "host", value.contains(where: Self.isBlank) {
                throw Stop(outcome: .malformed)
            }
            if name == "content-length" {
                let isOne = values[name]!.count == 1 && (1...10).contains(value.count)
                if !isOne || !value.allSatisfy({ (0x30...0x39).contains($0) }) {
                    throw Stop(outcome: .malformed)
                }
            }
        }
        try expect("\r\n")
        try conclude(values)
    }

    private mutating func field() throws(Stop) -> (String, [UInt8]) {
        let name = try take(while: Self.isToken)
        if name.isEmpty { throw Stop(outcome: .malformed) }
        try expect(":")
        let value = try take { !Self.isControl($0) || $0 == 0x09 }
        try expect("\r\n")
        let trimmed = value.drop(while: Self.isBlank).reversed().drop(while: Self.isBlank)
        return (String(decoding: name, as: UTF8.self).lowercased(), trimmed.reversed())
    }

    private mutating func conclude(_ values: [String: [[UInt8]]]) throws(Stop) {
        let hosts = values["host"]?.count ?? 0
        if hosts > 1 || (hosts == 0 && head.minorVersion == 1) { throw Stop(outcome: .malformed) }
        if values["transfer-encoding"] != nil {
            let isClear = values["content-length"] == nil && head.minorVersion == 1
            throw Stop(outcome: isClear ? .codingUnknown : .malformed)
        }
        let text = { (name: String) in
            String(decoding: values[name]?.last ?? [], as: UTF8.self)
        }
        head.contentLength = Int(text("content-length")) ?? 0
        (head.userAgent, head.referer, head.cookie) =
            (text("user-agent"), text("referer"), text("cookie"))
        let options = (values["connection"] ?? []).flatMap {
            $0.split { $0 == 0x2c || Self.isBlank($0) }
        }.map { String(decoding: $0, as: UTF8.self).lowercased() }
        head.keepAlive =
            !options.contains("close") && (head.minorVersion == 1 || options.contains("keep-alive"))
        head.byteCount = at
    }
}
