import Glibc

/// Where a text first stands in bytes.
func firstIndex(of text: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let first = text.first else { return nil }
    var at = 0
    while at + text.count <= bytes.count {
        let candidates = bytes.count - text.count + 1 - at
        guard let found = memchr(base + at, Int32(first), candidates) else { return nil }
        at = UnsafeRawPointer(found) - base
        if memcmp(base + at, text, text.count) == 0 { return at }
        at += 1
    }
    return nil
}

/// The stream's name in a call's JSON, or in the first of it; nil when it is not there. Only for
/// faults that come before the call is read: it takes the first such key for the call's.
func streamName(in json: UnsafeRawBufferPointer) -> String? {
    let key = Array("\"DeliveryStreamName\"".utf8)
    guard let found = firstIndex(of: key, in: json) else { return nil }
    var at = found + key.count
    func skipBlanks() {
        while at < json.count, [0x20, 0x09, 0x0a, 0x0d].contains(json[at]) { at += 1 }
    }
    skipBlanks()
    guard at < json.count, json[at] == UInt8(ascii: ":") else { return nil }
    at += 1
    skipBlanks()
    guard at < json.count, json[at] == UInt8(ascii: "\"") else { return nil }
    let rest = json[(at + 1)...]
    guard let end = rest.prefix(256).firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    return String(decoding: rest[..<end], as: UTF8.self)
}
