import CBytes

extension RowEncoder {
    /// The most of a hit's raw bytes that a bad row keeps: in base64 they fill a VARCHAR(65535).
    /// A whole request head fits three times.
    static let rawBytesMax = Schema.Limit.varcharBytesMax / 4 * 3

    /// Writes a bad row: who and when, what is wrong, and the target's exact bytes in base64. Its
    /// columns are `Schema.BadRow.columns`; those that do not apply are left out.
    @inline(never)
    mutating func encodeBad(
        _ hit: HitView, reason: RowReason, column: UnsafeMutablePointer<RowPlan.Column>?,
        into out: RowCursor
    ) -> RowResult {
        var at = out
        append("{\"id\":\"", to: &at)
        cbytes_uuid_text(hit.id, at)
        at += 36
        append("\",\"received_at\":\"", to: &at)
        appendReceivedAt(hit, to: &at)
        append("\",\"reason\":\"", to: &at)
        append(reason.code, to: &at)
        if let column {
            append("\",\"column\":\"", to: &at)
            // Its fragment is `,"name":` and perhaps a quote.
            let nameBytes =
                cbytes_find_json_special(
                    column.pointee.fragment + 2, column.pointee.fragmentBytes - 2)
            cbytes_copy_short(at, column.pointee.fragment + 2, nameBytes)
            at += nameBytes
        }
        append("\",\"client_address\":\"", to: &at)
        appendAddress(hit.address, to: &at)
        if hit.userAgent.count > 0 {
            append("\",\"user_agent\":\"", to: &at)
            appendPlainText(
                hit.userAgent.baseAddress!.assumingMemoryBound(to: UInt8.self),
                hit.userAgent.count, limit: Schema.BadRow.userAgentBytesMax, to: &at)
        }
        appendRaw(hit.target, to: &at)
        return RowResult(kind: .bad, reason: reason, byteCount: at - out)
    }

    /// Writes the bad row of a hit that must not be decoded. `bytes` is the whole hit as framed
    /// (`HitLayout`); only its id and time are read, at their fixed places.
    public mutating func encodeOpaque(
        _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>
    ) -> RowResult {
        var at = out
        append("{", to: &at)
        if bytes.count >= HitLayout.fixedBytes, let base = bytes.baseAddress {
            append("\"id\":\"", to: &at)
            cbytes_uuid_text((base + 8).assumingMemoryBound(to: UInt8.self), at)
            at += 36
            append("\",\"received_at\":\"", to: &at)
            let microseconds = UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
            appendTimestamp(
                Int(min(microseconds, UInt64(timestampMicroseconds.upperBound))), to: &at)
            append("\",", to: &at)
        }
        append("\"reason\":\"", to: &at)
        append(RowReason.crashedWorker.code, to: &at)
        appendRaw(bytes, to: &at)
        return RowResult(kind: .bad, reason: .crashedWorker, byteCount: at - out)
    }

    /// Closes the value before, appends `raw` and ends the row.
    private func appendRaw(_ raw: UnsafeRawBufferPointer, to at: inout RowCursor) {
        append("\",\"raw\":\"", to: &at)
        if let base = raw.baseAddress {
            at += cbytes_base64_encode(
                base.assumingMemoryBound(to: UInt8.self), min(raw.count, Self.rawBytesMax), at)
        }
        append("\"}\n", to: &at)
    }

    private func append(_ text: StaticString, to at: inout RowCursor) {
        memcpy(at, text.utf8Start, text.utf8CodeUnitCount)
        at += text.utf8CodeUnitCount
    }
}
