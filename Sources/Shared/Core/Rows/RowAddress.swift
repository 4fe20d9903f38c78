import CBytes

/// Appends the text of an address (16 bytes, IPv4 mapped into IPv6): dotted decimal, or RFC 5952's
/// form of IPv6. At most 39 bytes.
@inline(always)
func appendAddress(_ address: Bytes, to at: inout RowCursor) {
    let raw = UnsafeRawPointer(address)
    let isMapped =
        raw.loadUnaligned(as: UInt64.self) == 0
        && UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            == 0xFFFF_0000
    if isMapped {
        at += cbytes_dotted_text(address + 12, at)
    } else {
        appendGroups(address, to: &at)
    }
}

private func appendGroups(_ address: Bytes, to at: inout RowCursor) {
    let gap = longestZeroRun(address)
    var index = 0
    while index < 8 {
        if index == gap.lowerBound, !gap.isEmpty {
            at[0] = UInt8(ascii: ":")
            at[1] = UInt8(ascii: ":")
            at += 2
            index = gap.upperBound
            continue
        }
        if index > 0, index != gap.upperBound || gap.isEmpty {
            at[0] = UInt8(ascii: ":")
            at += 1
        }
        appendHexadecimal(group(address, index), to: &at)
        index += 1
    }
}

@inline(always)
private func group(_ address: Bytes, _ index: Int) -> UInt16 {
    UInt16(address[2 * index]) << 8 | UInt16(address[2 * index + 1])
}

/// The first longest run of at least two zero groups; empty when there is none.
private func longestZeroRun(_ address: Bytes) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for index in 0...8 {
        if index < 8, group(address, index) == 0 { continue }
        if index - start >= 2, index - start > best.count { best = start..<index }
        start = index + 1
    }
    return best
}

private func appendHexadecimal(_ value: UInt16, to at: inout RowCursor) {
    var shift: UInt16 = 12
    while shift > 0, value >> shift == 0 { shift -= 4 }
    while true {
        let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
        at[0] = digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &- 10 &+ digit
        at += 1
        if shift == 0 { return }
        shift -= 4
    }
}
