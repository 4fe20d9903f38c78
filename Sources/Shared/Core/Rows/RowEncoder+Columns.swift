import CBytes

extension RowEncoder {
    /// A value of the request, not yet decoded.
    private struct Value {
        var start: Bytes
        var count: Int
        var spelling: Spelling
        /// The parameter it is, -1 when it is no parameter.
        var pair: Int
        var slot: Int
    }

    /// Appends `,"name":value`, or nothing and says why. The reason counts only where the column is
    /// required.
    @inline(always)
    mutating func appendColumn(
        _ column: UnsafeMutablePointer<RowPlan.Column>, of hit: HitView, to at: inout RowCursor
    ) -> RowReason {
        switch column.pointee.form {
        case .hitID:
            appendFragment(column, to: &at)
            cbytes_uuid_text(hit.id, at)
            at += 36
            appendQuote(to: &at)
            return .none
        case .receivedAt:
            appendFragment(column, to: &at)
            appendReceivedAt(hit, to: &at)
            appendQuote(to: &at)
            return .none
        case .clientAddress:
            appendFragment(column, to: &at)
            appendAddress(hit.address, to: &at)
            appendQuote(to: &at)
            return .none
        case .parameterText:
            return appendParameterText(column, of: hit, to: &at)
        case .userAgent:
            return appendHeaderText(hit.userAgent, column, of: hit, to: &at)
        case .referer:
            return appendHeaderText(hit.referer, column, of: hit, to: &at)
        case .text:
            return appendTextColumn(column, of: hit, to: &at)
        case .integer, .bigint, .double, .boolean, .timestamp:
            return appendScalarColumn(column, of: hit, to: &at)
        }
    }

    @inline(always)
    private func appendFragment(
        _ column: UnsafeMutablePointer<RowPlan.Column>, to at: inout RowCursor
    ) {
        cbytes_copy_literal(at, column.pointee.fragment, column.pointee.fragmentBytes)
        at += column.pointee.fragmentBytes
    }

    @inline(always)
    private func appendQuote(to at: inout RowCursor) {
        at[0] = UInt8(ascii: "\"")
        at += 1
    }

    /// The router's clock, kept within the years a warehouse knows.
    @inline(always)
    mutating func appendReceivedAt(_ hit: HitView, to at: inout RowCursor) {
        let latest = UInt64(timestampMicroseconds.upperBound)
        appendReceivedAt(
            microseconds: Int(truncatingIfNeeded: min(hit.receivedAtMicroseconds, latest)), to: &at)
    }

    @inline(always)
    private mutating func appendReceivedAt(microseconds: Int, to at: inout RowCursor) {
        let seconds = microseconds / 1_000_000
        if seconds != dateSeconds {
            writeSeconds(seconds, to: date)
            dateSeconds = seconds
        }
        cbytes_copy_short(at, date, 19)
        at[19] = UInt8(ascii: ".")
        cbytes_six(
            UInt32(truncatingIfNeeded: microseconds &- seconds &* 1_000_000), at + 20)
        at += 26
    }

    // MARK: Text

    /// The way of most values: one copy. Whatever is not simple goes the general way.
    @inline(always)
    private mutating func appendParameterText(
        _ column: UnsafeMutablePointer<RowPlan.Column>, of hit: HitView, to at: inout RowCursor
    ) -> RowReason {
        let pairNumber = Int(found[column.pointee.slot])
        guard pairNumber > 0 else { return appendTextColumn(column, of: hit, to: &at) }
        let pair = pairs + (pairNumber &- 1)
        let count = Int(pair.pointee.value_bytes)
        guard count > 0, count <= column.pointee.bytesMax, pair.pointee.dirty & 2 == 0 else {
            return appendTextColumn(column, of: hit, to: &at)
        }
        appendFragment(column, to: &at)
        cbytes_copy_short(at, query + Int(pair.pointee.value_at), count)
        at += count
        appendQuote(to: &at)
        return .none
    }

    @inline(always)
    private mutating func appendHeaderText(
        _ field: UnsafeRawBufferPointer, _ column: UnsafeMutablePointer<RowPlan.Column>,
        of hit: HitView, to at: inout RowCursor
    ) -> RowReason {
        let count = min(field.count, column.pointee.bytesMax)
        guard count > 0 else { return .missingRequired }
        let start = at
        appendFragment(column, to: &at)
        let text = field.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let clean = cbytes_copy_json_clean(at, text, count)
        guard clean == count else {
            at = start
            return appendTextColumn(column, of: hit, to: &at)
        }
        at += count
        appendQuote(to: &at)
        return .none
    }

    @inline(never)
    private mutating func appendTextColumn(
        _ column: UnsafeMutablePointer<RowPlan.Column>, of hit: HitView, to at: inout RowCursor
    ) -> RowReason {
        var value = Value(start: query, count: 0, spelling: .clean, pair: -1, slot: -1)
        let flaw = readValue(of: column, in: hit, &value)
        if flaw != .none { return flaw }
        let start = at
        appendFragment(column, to: &at)
        let bytesMax = column.pointee.bytesMax
        switch value.spelling {
        case .clean where value.count <= bytesMax:
            cbytes_copy_short(at, value.start, value.count)
            at += value.count
        case .plain:
            if appendPlainText(value.start, value.count, limit: bytesMax, to: &at) == 0 {
                at = start
                return unconvertible(value)
            }
        case .clean, .form:
            if appendFormText(value.start, value.count, limit: bytesMax, to: &at) == 0 {
                at = start
                return unconvertible(value)
            }
        }
        appendQuote(to: &at)
        return .none
    }

    // MARK: Numbers, booleans, times

    private mutating func appendScalarColumn(
        _ column: UnsafeMutablePointer<RowPlan.Column>, of hit: HitView, to at: inout RowCursor
    ) -> RowReason {
        var value = Value(start: query, count: 0, spelling: .clean, pair: -1, slot: -1)
        let flaw = readValue(of: column, in: hit, &value)
        if flaw != .none { return flaw }
        var text = value.start
        var count = value.count
        if value.spelling == .form {
            guard let decoded = decodeForm(text, count, into: scratch, limit: scalarTextBytesMax)
            else { return unconvertible(value) }
            (text, count) = (Bytes(scratch), decoded)
        }
        let start = at
        appendFragment(column, to: &at)
        if count <= scalarTextBytesMax,
            appendScalar(text, count, as: column.pointee.form, to: &at)
        {
            return .none
        }
        at = start
        return unconvertible(value)
    }

    @inline(always)
    private func appendScalar(
        _ text: Bytes, _ count: Int, as form: RowPlan.Form, to at: inout RowCursor
    ) -> Bool {
        switch form {
        case .integer:
            guard let value = parseInteger(text, count), Int32(exactly: value) != nil else {
                return false
            }
            appendInteger(value, to: &at)
        case .bigint:
            guard let value = parseInteger(text, count) else { return false }
            appendInteger(value, to: &at)
        case .double:
            return appendDouble(text, count, to: &at)
        case .boolean:
            guard let value = parseBoolean(text, count) else { return false }
            // "true" and "fals", and the last letter where there is one more.
            let word: UInt32 = value ? 0x6575_7274 : 0x736C_6166
            UnsafeMutableRawPointer(at).storeBytes(of: word.littleEndian, as: UInt32.self)
            at[4] = UInt8(ascii: "e")
            at += value ? 4 : 5
        case .timestamp:
            guard let value = parseTimestamp(text, count) else { return false }
            appendTimestamp(value, to: &at)
            appendQuote(to: &at)
        case .hitID, .receivedAt, .clientAddress, .text, .parameterText, .userAgent, .referer:
            return false
        }
        return true
    }

    // MARK: Sources

    /// Finds the first source that is not empty. Parameters that come after it are not read by any
    /// column any more, so they go to the rest.
    @inline(always)
    private mutating func readValue(
        of column: UnsafeMutablePointer<RowPlan.Column>, in hit: HitView, _ value: inout Value
    ) -> RowReason {
        var flaw = RowReason.missingRequired
        let first = column.pointee.firstSource
        let end = first &+ column.pointee.sourceCount
        var index = first
        while index < end {
            let source = (plan.sources + index).pointee
            index &+= 1
            if source.origin == .parameter {
                let pairNumber = Int(found[source.slot])
                if pairNumber == 0 { continue }
                value = parameter(pairNumber &- 1, slot: source.slot)
                if value.count == 0 {
                    flaw = .emptyRequired
                    continue
                }
            } else {
                value = header(source.origin, of: hit)
                if value.count == 0 { continue }
            }
            if index < end { keepUnread(from: index, to: end) }
            return .none
        }
        return flaw
    }

    @inline(always)
    private func parameter(_ index: Int, slot: Int) -> Value {
        let pair = pairs + index
        return Value(
            start: query + Int(pair.pointee.value_at), count: Int(pair.pointee.value_bytes),
            spelling: pair.pointee.dirty & 2 == 0 ? .clean : .form, pair: index, slot: slot)
    }

    @inline(always)
    private func header(_ origin: RowPlan.Origin, of hit: HitView) -> Value {
        let field: UnsafeRawBufferPointer
        switch origin {
        case .userAgent: field = hit.userAgent
        case .referer: field = hit.referer
        case .visitorCookie: field = hit.visitorCookie
        case .clientAddress, .parameter:
            var end = scratch
            appendAddress(hit.address, to: &end)
            return Value(
                start: Bytes(scratch), count: end - scratch, spelling: .clean, pair: -1, slot: -1)
        }
        return Value(
            start: field.baseAddress!.assumingMemoryBound(to: UInt8.self), count: field.count,
            spelling: .plain, pair: -1, slot: -1)
    }

    private mutating func keepUnread(from first: Int, to end: Int) {
        for index in first..<end {
            let source = (plan.sources + index).pointee
            guard source.origin == .parameter, found[source.slot] > 0 else { continue }
            let pair = pairs + (Int(found[source.slot]) &- 1)
            if pair.pointee.value_bytes > 0 { insertIntoRest(pair, slot: source.slot) }
        }
    }

    @inline(never)
    private mutating func unconvertible(_ value: Value) -> RowReason {
        if value.pair >= 0 { insertIntoRest(pairs + value.pair, slot: value.slot) }
        return .unconvertibleRequired
    }
}
