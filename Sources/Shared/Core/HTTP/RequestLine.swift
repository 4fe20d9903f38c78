import CBytes

/// `METHOD SP target SP HTTP/1.x CRLF`; one empty line before it is skipped (RFC 9112, 2.2).
@inline(always)
func parseRequestLine(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    if cursor.left > 0 && cursor.here[0] == carriageReturn {
        if cursor.left < 2 { return .incomplete }
        if cursor.here[1] != lineFeed { return .malformed }
        cursor.at += 2
    }
    let methodStart = cursor.at
    let isGet = cursor.hasWord("GET ", UInt32.self)
    let methodBytes = isGet ? 3 : cbytes_token_length(cursor.here, cursor.left)
    cursor.at += methodBytes
    if !isGet {
        if cursor.left == 0 { return .incomplete }
        if methodBytes == 0 || cursor.here[0] != space { return .malformed }
    }
    head.method = isGet ? .get : method(cursor.start + methodStart, methodBytes)
    cursor.at += 1

    let targetStart = cursor.at
    cursor.at = cbytes_head_target_end(cursor.start, cursor.count, targetStart)
    if cursor.left == 0 { return .incomplete }
    if cursor.at == targetStart || cursor.here[0] != space { return .malformed }
    head.target = cursor.slice(targetStart, cursor.at)
    if cursor.start[targetStart] != slash
        && !isUnusualTarget(
            head.target, method: cursor.slice(methodStart, methodStart + methodBytes))
    {
        return .malformed
    }
    cursor.at += 1
    return parseVersion(&cursor, into: &head)
}

@inline(always)
private func method(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> RequestHead.Method {
    if count == 3 && bytes[0] == 0x47 && bytes[1] == 0x45 && bytes[2] == 0x54 { return .get }
    if count == 4 && bytes[0] == 0x48 && bytes[1] == 0x45 && bytes[2] == 0x41 && bytes[3] == 0x44 {
        return .head
    }
    return .other
}

@inline(always)
private func parseVersion(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    if cursor.left >= 10 && cursor.hasWord("HTTP/1.1", UInt64.self)
        && cursor.here[8] == carriageReturn && cursor.here[9] == lineFeed
    {
        head.minorVersion = 1
        cursor.at += 10
        return .complete
    }
    return parseVersionByBytes(&cursor, into: &head)
}

/// Any other version, and a cut one.
private func parseVersionByBytes(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    let name: StaticString = "HTTP/"
    for index in 0..<5 {
        if cursor.left <= index { return .incomplete }
        if cursor.here[index] != name.utf8Start[index] { return .malformed }
    }
    if cursor.left < 10 { return .incomplete }
    let version = cursor.here
    guard isDigit(version[5]), version[6] == UInt8(ascii: "."), isDigit(version[7]),
        version[8] == carriageReturn, version[9] == lineFeed
    else { return .malformed }
    guard version[5] == UInt8(ascii: "1"), version[7] <= UInt8(ascii: "1") else {
        return .versionUnknown
    }
    head.minorVersion = version[7] & 1
    cursor.at += 10
    return .complete
}

@inline(always)
func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }
