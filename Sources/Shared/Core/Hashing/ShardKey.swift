import CBytes
import CXXHash
import Glibc

/// Which worker a hit goes to: XXH3-64 of the first present part of the configured list, raw as it
/// came (so `a%20b` and `a+b` may land apart: sharding gives locality, not correctness), then jump
/// hash.
///
/// The mapping is a contract (a visitor stays on a shard over restarts): a golden test holds it.
public struct ShardKey: ~Copyable {
    private enum Kind: UInt8 { case query, cookie, addressAndUserAgent }

    private struct Part {
        var kind: Kind
        var nameOffset: Int
        var nameBytes: Int
    }

    private let parts: UnsafeMutablePointer<Part>
    private let partCount: Int
    private let names: UnsafeMutablePointer<UInt8>

    public init(_ list: [Settings.ShardKeyPart]) {
        var bytes: [UInt8] = []
        var made: [Part] = []
        for part in list {
            let (kind, name): (Kind, String) =
                switch part {
                case .query(let name): (.query, name)
                case .cookie(let name): (.cookie, name)
                case .addressAndUserAgent: (.addressAndUserAgent, "")
                }
            made.append(Part(kind: kind, nameOffset: bytes.count, nameBytes: name.utf8.count))
            bytes += Array(name.utf8)
        }
        if made.last?.kind != .addressAndUserAgent {
            made.append(Part(kind: .addressAndUserAgent, nameOffset: 0, nameBytes: 0))
        }
        parts = .allocate(capacity: made.count)
        parts.initialize(from: made, count: made.count)
        partCount = made.count
        names = .allocate(capacity: max(1, bytes.count))
        names.initialize(from: bytes, count: bytes.count)
    }

    deinit {
        parts.deallocate()
        names.deallocate()
    }

    /// The hash that `jumpHash` takes. `address` is 16 bytes.
    public func hash(
        target: UnsafeRawBufferPointer, cookie: UnsafeRawBufferPointer,
        address: UnsafePointer<UInt8>, userAgent: UnsafeRawBufferPointer
    ) -> UInt64 {
        for index in 0..<partCount {
            let part = parts[index]
            let name = UnsafeRawBufferPointer(start: names + part.nameOffset, count: part.nameBytes)
            switch part.kind {
            case .query:
                let value = queryValue(of: name, in: target)
                if value.count > 0 { return XXH3_64bits(value.baseAddress, value.count) }
            case .cookie:
                let value = cookieValue(of: name, in: cookie)
                if value.count > 0 { return XXH3_64bits(value.baseAddress, value.count) }
            case .addressAndUserAgent:
                let agent =
                    userAgent.count == 0 ? 0 : XXH3_64bits(userAgent.baseAddress, userAgent.count)
                return XXH3_64bits_withSeed(address, 16, agent)
            }
        }
        return 0
    }
}

/// The raw bytes of a query parameter's first occurrence; empty when absent.
public func queryValue(
    of name: UnsafeRawBufferPointer, in target: UnsafeRawBufferPointer
) -> UnsafeRawBufferPointer {
    guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self),
        let wanted = name.baseAddress, let mark = memchr(base, 0x3f, target.count)
    else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    var at = UnsafeRawPointer(mark) - UnsafeRawPointer(base) + 1
    while at < target.count {
        let count = cbytes_find_ampersand(base + at, target.count - at)
        if count > name.count && base[at + name.count] == 0x3d
            && memcmp(base + at, wanted, name.count) == 0
        {
            return UnsafeRawBufferPointer(
                start: base + at + name.count + 1, count: count - name.count - 1)
        }
        at += count + 1
    }
    return UnsafeRawBufferPointer(start: nil, count: 0)
}

/// The raw bytes of a cookie's value in a Cookie field (RFC 6265, 4.2.1); empty when absent.
public func cookieValue(
    of name: UnsafeRawBufferPointer, in cookie: UnsafeRawBufferPointer
) -> UnsafeRawBufferPointer {
    guard let base = cookie.baseAddress?.assumingMemoryBound(to: UInt8.self),
        let wanted = name.baseAddress
    else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    var at = 0
    while at < cookie.count {
        while at < cookie.count && (base[at] == 0x20 || base[at] == 0x3b) { at += 1 }
        let semicolon = memchr(base + at, 0x3b, cookie.count - at)
        var end = semicolon.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? cookie.count
        if end - at > name.count && base[at + name.count] == 0x3d
            && memcmp(base + at, wanted, name.count) == 0
        {
            let start = at + name.count + 1
            while end > start && base[end - 1] == 0x20 { end -= 1 }
            return UnsafeRawBufferPointer(start: base + start, count: end - start)
        }
        at = end + 1
    }
    return UnsafeRawBufferPointer(start: nil, count: 0)
}
