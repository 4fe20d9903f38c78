/// The path and query of a request target: all of it in origin-form, what follows the authority in
/// absolute-form (`http://host/path?query`), nothing in the others.
public func pathAndQuery(of target: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if target.count > 0 && target[0] == UInt8(ascii: "/") { return target }
    guard let start = absoluteAuthorityEnd(target) else {
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(rebasing: target[start...])
}

/// Whether a target that does not begin with `/` has one of the other three forms of RFC 9112, 3.2:
/// absolute-form, `*` for OPTIONS, authority-form for CONNECT.
func isUnusualTarget(
    _ target: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer
) -> Bool {
    if target.count == 1 && target[0] == UInt8(ascii: "*") {
        return isExactly(method, "OPTIONS")
    }
    return absoluteAuthorityEnd(target) != nil
        || (isExactly(method, "CONNECT") && isAuthority(target))
}

private func isExactly(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    bytes.elementsEqual(
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

/// Where path and query begin in an absolute-form target, its end when it has neither; nil when it
/// is of another form or names no host.
private func absoluteAuthorityEnd(_ target: UnsafeRawBufferPointer) -> Int? {
    guard let start = authorityStart(target) else { return nil }
    var at = start
    while at < target.count && !endsAuthority(target[at]) { at += 1 }
    return at > start ? at : nil
}

/// After `scheme://`; nil when the target does not begin so.
private func authorityStart(_ target: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    while at < target.count && isSchemeByte(target[at], first: at == 0) { at += 1 }
    guard at > 0, at + 3 <= target.count, target[at] == UInt8(ascii: ":"),
        target[at + 1] == UInt8(ascii: "/"), target[at + 2] == UInt8(ascii: "/")
    else { return nil }
    return at + 3
}

private func isSchemeByte(_ byte: UInt8, first: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        !first
    default: false
    }
}

private func endsAuthority(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
}

/// `host:port`.
private func isAuthority(_ target: UnsafeRawBufferPointer) -> Bool {
    target.count > 1 && target[0] != UInt8(ascii: ":") && target.contains(UInt8(ascii: ":"))
        && !target.contains(where: endsAuthority)
}
