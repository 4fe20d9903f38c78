import CBytes

/// The fields and the empty line after them. Nearly every line is plain, and those are split 32
/// bytes at a time; each of the others is read byte by byte, which is where all refusals are made.
@inline(always)
func parseFields(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    head.userAgent = UnsafeRawBufferPointer(start: nil, count: 0)
    head.referer = head.userAgent
    head.cookie = head.userAgent
    var facts = FieldFacts()
    while true {
        let plain = takePlainFields(&cursor, &facts, into: &head)
        if plain != .complete { return plain }
        if cursor.left == 0 { return .incomplete }
        if cursor.here[0] == carriageReturn {
            if cursor.left < 2 { return .incomplete }
            if cursor.here[1] != lineFeed { return .malformed }
            cursor.at += 2
            break
        }
        facts.fields += 1
        if facts.fields > Limits.headerFieldsMax { return .headTooLarge }
        let outcome = parseField(&cursor, &facts, into: &head)
        if outcome != .complete { return outcome }
    }
    return conclude(facts, cursor, into: &head)
}

/// Takes plain lines off the front, in their order; `complete` where it stops for anything else.
@inline(always)
private func takePlainFields(
    _ cursor: inout HeadCursor, _ facts: inout FieldFacts, into head: inout RequestHead
) -> RequestHeadOutcome {
    // More lines than a browser sends; 256 bytes of stack.
    withUnsafeTemporaryAllocation(of: cbytes_head_line.self, capacity: 32) { room in
        var line = room.baseAddress!
        // Past the last field allowed none is plain, so that the closer look refuses it.
        let count = cbytes_plain_head_lines(
            cursor.start, cursor.count, &cursor.at, line,
            min(room.count, Limits.headerFieldsMax &- facts.fields))
        facts.fields &+= count
        let end = line + count
        while line < end {
            let valueAt = Int(line.pointee.value_at)
            let outcome = facts.note(
                name: cursor.start + Int(line.pointee.name_at), Int(line.pointee.name_bytes),
                value: cursor.slice(valueAt, valueAt &+ Int(line.pointee.value_bytes)),
                into: &head)
            if outcome != .complete { return outcome }
            line += 1
        }
        return .complete
    }
}

/// One `name: value CRLF`. A name is a token directly before the colon; a value holds no control
/// but tab; a line that begins with white space (obs-fold) is refused.
private func parseField(
    _ cursor: inout HeadCursor, _ facts: inout FieldFacts, into head: inout RequestHead
) -> RequestHeadOutcome {
    let nameStart = cursor.at
    let nameBytes = Int(cbytes_token_length(cursor.here, cursor.left))
    cursor.at += nameBytes
    if cursor.left == 0 { return .incomplete }
    if nameBytes == 0 || cursor.here[0] != UInt8(ascii: ":") { return .malformed }
    cursor.at += 1
    while cursor.left > 0 && (cursor.here[0] == space || cursor.here[0] == tab) { cursor.at += 1 }
    let valueStart = cursor.at
    while true {
        cursor.at += cbytes_find_control(cursor.here, cursor.left)
        if cursor.left == 0 { return .incomplete }
        if cursor.here[0] != tab { break }
        cursor.at += 1
    }
    var valueEnd = cursor.at
    if cursor.here[0] != carriageReturn { return .malformed }
    if cursor.left < 2 { return .incomplete }
    if cursor.here[1] != lineFeed { return .malformed }
    cursor.at += 2
    while valueEnd > valueStart
        && (cursor.start[valueEnd - 1] == space || cursor.start[valueEnd - 1] == tab)
    {
        valueEnd -= 1
    }
    return facts.note(
        name: cursor.start + nameStart, nameBytes, value: cursor.slice(valueStart, valueEnd),
        into: &head)
}

/// The rules that hold between fields (RFC 9112, 3.2 and 6.1).
@inline(always)
private func conclude(
    _ facts: FieldFacts, _ cursor: HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    if facts.hosts > 1 || (facts.hosts == 0 && head.minorVersion == 1) { return .malformed }
    if facts.hasTransferEncoding {
        return facts.contentLength == nil && head.minorVersion == 1 ? .codingUnknown : .malformed
    }
    head.contentLength = facts.contentLength ?? 0
    head.keepAlive = !facts.close && (head.minorVersion == 1 || facts.keepAlive)
    head.byteCount = cursor.at
    return .complete
}
