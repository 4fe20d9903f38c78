import CBytes
import CXXHash

extension RowEncoder {
    /// At least twice the items.
    static let restPlacesMax = 1024

    /// Adds a parameter at the end of the rest. `slot` is -1 for an unknown name.
    @inline(always)
    mutating func addToRest(_ pair: UnsafeMutablePointer<cbytes_form_pair>, slot: Int) {
        guard plan.rest.byteCount > 0 else { return }
        (restItems + restCount).initialize(to: restItem(pair, slot: slot))
        restCount &+= 1
    }

    /// Adds a known parameter that its column could not take, in its place of the query.
    mutating func insertIntoRest(_ pair: UnsafeMutablePointer<cbytes_form_pair>, slot: Int) {
        guard plan.rest.byteCount > 0 else { return }
        let item = restItem(pair, slot: slot)
        var place = restCount
        while place > 0, restItems[place &- 1].valueAt > item.valueAt {
            restItems[place] = restItems[place &- 1]
            place &-= 1
        }
        restItems[place] = item
        restCount &+= 1
    }

    /// Keeps the part of the query that was not cut, as it stands.
    mutating func addOverflow(from start: Int, _ end: Int) {
        guard plan.rest.byteCount > 0 else { return }
        (restItems + restCount).initialize(
            to: RestItem(
                name: Self.overflowName.utf8Start, nameBytes: Self.overflowName.utf8CodeUnitCount,
                valueAt: start, valueBytes: end &- start, spelling: .plain))
        restCount &+= 1
    }

    @inline(always)
    private mutating func restItem(
        _ pair: UnsafeMutablePointer<cbytes_form_pair>, slot: Int
    ) -> RestItem {
        var item = RestItem(
            name: query + Int(pair.pointee.key_at), nameBytes: Int(pair.pointee.key_bytes),
            valueAt: Int(pair.pointee.value_at), valueBytes: Int(pair.pointee.value_bytes),
            spelling: pair.pointee.dirty & 2 == 0 ? .clean : .form)
        if slot >= 0 {
            item.name = plan.parameterTexts[slot].text
            item.nameBytes = plan.parameterTexts[slot].byteCount
        } else if pair.pointee.dirty & 1 != 0 {
            let start = nameEnd
            appendFormText(item.name, item.nameBytes, limit: .max, to: &nameEnd)
            item.name = Bytes(start)
            item.nameBytes = nameEnd - start
        }
        return item
    }

    /// Appends `,"extra":{...}`.
    @inline(always)
    mutating func appendRest(to at: inout RowCursor) {
        cbytes_copy_literal(at, plan.rest.text, plan.rest.byteCount)
        at += plan.rest.byteCount
        if restCount > 1 { linkEqualNames() } else { restItems[0].last = 0 }
        for index in 0..<restCount where restItems[index].last >= 0 {
            let item = restItems + index
            at[0] = UInt8(ascii: "\"")
            at += 1
            cbytes_copy_short(at, item.pointee.name, item.pointee.nameBytes)
            at += item.pointee.nameBytes
            at[0] = UInt8(ascii: "\"")
            at[1] = UInt8(ascii: ":")
            at += 2
            if item.pointee.next < 0 {
                appendRestValue(item, to: &at)
            } else {
                appendRestValues(from: item, to: &at)
            }
            at[0] = UInt8(ascii: ",")
            at += 1
        }
        // The last comma becomes the brace.
        at[-1] = UInt8(ascii: "}")
    }

    @inline(always)
    private func appendRestValue(_ item: UnsafeMutablePointer<RestItem>, to at: inout RowCursor) {
        at[0] = UInt8(ascii: "\"")
        at += 1
        let text = query + item.pointee.valueAt
        let count = item.pointee.valueBytes
        switch item.pointee.spelling {
        case .clean:
            cbytes_copy_short(at, text, count)
            at += count
        case .form: appendFormText(text, count, limit: .max, to: &at)
        case .plain: appendPlainText(text, count, limit: .max, to: &at)
        }
        at[0] = UInt8(ascii: "\"")
        at += 1
    }

    private func appendRestValues(
        from first: UnsafeMutablePointer<RestItem>, to at: inout RowCursor
    ) {
        at[0] = UInt8(ascii: "[")
        at += 1
        var item = first
        while true {
            appendRestValue(item, to: &at)
            if item.pointee.next < 0 { break }
            at[0] = UInt8(ascii: ",")
            at += 1
            item = restItems + Int(item.pointee.next)
        }
        at[0] = UInt8(ascii: "]")
        at += 1
    }

    /// Chains items of equal names. A hash table, so that a hostile query of 256 names costs no
    /// more than a friendly one.
    private mutating func linkEqualNames() {
        var places = 4
        while places < 2 &* restCount { places &*= 2 }
        memset(restPlaces, 0, 2 &* places)
        for index in 0..<restCount {
            let item = restItems + index
            item.pointee.hash = UInt32(
                truncatingIfNeeded: XXH3_64bits(item.pointee.name, item.pointee.nameBytes))
            item.pointee.last = Int32(truncatingIfNeeded: index)
            var place = Int(item.pointee.hash) & (places &- 1)
            while restPlaces[place] > 0 {
                let first = restItems + (Int(restPlaces[place]) &- 1)
                if first.pointee.hash == item.pointee.hash,
                    first.pointee.nameBytes == item.pointee.nameBytes,
                    memcmp(first.pointee.name, item.pointee.name, item.pointee.nameBytes) == 0
                {
                    restItems[Int(first.pointee.last)].next = Int32(truncatingIfNeeded: index)
                    first.pointee.last = Int32(truncatingIfNeeded: index)
                    item.pointee.last = -1
                    break
                }
                place = (place &+ 1) & (places &- 1)
            }
            if restPlaces[place] == 0 { restPlaces[place] = UInt16(truncatingIfNeeded: index &+ 1) }
        }
    }
}
