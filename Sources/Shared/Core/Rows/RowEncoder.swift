import CBytes

/// Turns hits into NDJSON rows of one schema. The hottest code of a worker: per hit it allocates
/// nothing, counts no references and touches only memory made at init.
///
/// A good row has the schema's columns in order, the rest last wherever it stands in the schema;
/// what is absent is left out (COPY 'auto' loads a missing key as NULL). It depends on the hit and
/// the schema alone, so a re-sent hit makes the same bytes.
///
/// Parameters (application/x-www-form-urlencoded, after the target's first '?'):
///   - The first of equal names is the one a column reads. Later ones go to the rest.
///   - Unknown names go to the rest, and so does an optional value its column's type cannot hold,
///     or one that a source tried earlier made unnecessary.
///   - An empty value of a known parameter is as if it had not come (but see `emptyRequired`).
///   - A name that occurs once in the rest has a string there, one that occurs more often an array
///     of strings, in the order of the query.
///   - Only the first 256 parameters are looked at. The query beyond them is kept undecoded in the
///     rest under "_overflow".
public struct RowEncoder: ~Copyable {
    /// Room that `encode` needs.
    ///
    /// A byte of a request becomes at most six of a row (a control, `\u0001`); an ill-formed byte
    /// becomes three (U+FFFD), %XX at most six for its three. What a row holds beyond that is
    /// bounded by the schema (`Schema.rowOverheadBytes`). 64 bytes more because copies run in whole
    /// steps of 16 or 32. A bad row is smaller: base64 makes 4 of 3, and the hit's User-Agent is cut.
    public static let rowBytesMax =
        6 * Limits.requestHeadBytesMax + Schema.Limit.rowOverheadBytesMax + 64

    /// The most that all rows of one frame can take together, good or bad: they fit one Firehose
    /// record (1,024,000 bytes) and leave room for what a spool puts before them.
    public static let frameRowsBytesMax =
        6 * Limits.frameBytesMax + Limits.frameHitsMax * Schema.Limit.rowOverheadBytesMax

    /// Parameters looked at one by one.
    public static let parametersMax = 256
    static let overflowName: StaticString = "_overflow"

    /// A parameter that no column took.
    struct RestItem {
        /// Its name as the inside of a JSON string.
        var name: Bytes
        var nameBytes: Int
        /// In the query.
        var valueAt: Int
        var valueBytes: Int
        var spelling: Spelling
        var hash: UInt32 = 0
        /// The next item of the same name, -1 at the last.
        var next: Int32 = -1
        /// The last item of this name, where this is the first; -1 where it is not.
        var last: Int32 = -1
    }

    /// How a value stands in the request.
    enum Spelling: UInt8 {
        /// Goes into JSON as it stands.
        case clean
        case form
        case plain
    }

    let plan: RowPlan
    let pairs: UnsafeMutablePointer<cbytes_form_pair>
    /// Columns to look at: the plan's `always` and those a parameter came for.
    let wanted: UnsafeMutablePointer<UInt64>
    /// Of each known parameter: its pair's index and one, 0 when absent. Lies behind `wanted`, so
    /// that one copy makes both ready for a hit.
    let found: UnsafeMutablePointer<UInt16>
    let restItems: UnsafeMutablePointer<RestItem>
    var restCount = 0
    /// Hash table of the rest's names: item index and one.
    let restPlaces: UnsafeMutablePointer<UInt16>
    /// Names of the rest that had to be decoded and escaped.
    let names: RowCursor
    var nameEnd: RowCursor
    /// Small decoded values.
    let scratch: RowCursor
    /// "YYYY-MM-DD HH:MM:SS" of `dateSeconds`: hits of one frame share it.
    let date: RowCursor
    var dateSeconds = 0
    /// The current hit's query.
    var query: Bytes

    /// The schema has no flaws.
    public init(_ schema: Schema) {
        let flaws = schema.flaws()
        precondition(flaws.isEmpty, "schema: \(flaws[0])")
        plan = RowPlan(schema)
        pairs = .allocate(capacity: Self.parametersMax)
        pairs.initialize(repeating: cbytes_form_pair(), count: Self.parametersMax)
        let marks = UnsafeMutableRawPointer.allocate(byteCount: plan.markBytes, alignment: 16)
        wanted = marks.initializeMemory(as: UInt64.self, repeating: 0, count: plan.setWords)
        found = (marks + 8 * plan.setWords).initializeMemory(
            as: UInt16.self, repeating: 0, count: plan.parameterCount)
        restItems = .allocate(capacity: Self.parametersMax + 1)
        restPlaces = .allocate(capacity: Self.restPlacesMax)
        restPlaces.initialize(repeating: 0, count: Self.restPlacesMax)
        let nameBytes = 6 * Limits.requestHeadBytesMax + 16
        names = .allocate(capacity: nameBytes)
        names.initialize(repeating: 0, count: nameBytes)
        nameEnd = names
        scratch = .allocate(capacity: 256)
        scratch.initialize(repeating: 0, count: 256)
        date = .allocate(capacity: 32)
        date.initialize(repeating: 0, count: 32)
        writeSeconds(0, to: date)
        query = Bytes(names)
    }

    deinit {
        pairs.deallocate()
        UnsafeMutableRawPointer(wanted).deallocate()
        restItems.deallocate()
        restPlaces.deallocate()
        names.deallocate()
        scratch.deallocate()
        date.deallocate()
    }

    /// Writes the hit's row, good or bad, to `out`, where `rowBytesMax` bytes are free. What lies
    /// behind the row's bytes afterwards is rubbish.
    public mutating func encode(
        _ hit: HitView, into out: UnsafeMutablePointer<UInt8>
    ) -> RowResult {
        let fieldBytes =
            hit.target.count &+ hit.userAgent.count &+ hit.referer.count &+ hit.visitorCookie.count
        guard fieldBytes <= Limits.requestHeadBytesMax else {
            return encodeBad(hit, reason: .oversizedHit, column: nil, into: out)
        }
        readQuery(of: hit.target)
        var at = out
        for word in 0..<plan.setWords {
            var left = wanted[word]
            while left != 0 {
                let column = plan.columns + (word &* 64 &+ left.trailingZeroBitCount)
                left &= left &- 1
                let flaw = appendColumn(column, of: hit, to: &at)
                if flaw != .none, column.pointee.isRequired {
                    return encodeBad(hit, reason: flaw, column: column, into: out)
                }
            }
        }
        if restCount > 0 { appendRest(to: &at) }
        // Every column begins with a comma, the first one's becomes the brace.
        out[0] = UInt8(ascii: "{")
        at[0] = UInt8(ascii: "}")
        at[1] = UInt8(ascii: "\n")
        return RowResult(kind: .good, reason: .none, byteCount: at - out + 2)
    }

    /// Cuts the query into parameters: known ones into `found`, the others into the rest.
    @inline(always)
    private mutating func readQuery(of target: UnsafeRawBufferPointer) {
        restCount = 0
        nameEnd = names
        memcpy(wanted, plan.always, plan.markBytes)
        let bytes = target.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let start = cbytes_find_question(bytes, target.count) &+ 1
        guard start < target.count else { return }
        query = bytes + start
        let queryBytes = target.count &- start
        var cutBytes = 0
        let count = cbytes_form_pairs(query, queryBytes, pairs, Self.parametersMax, &cutBytes)
        for index in 0..<count {
            let pair = pairs + index
            let slot = slotOfName(pair)
            if slot >= 0, found[slot] == 0 {
                found[slot] = UInt16(truncatingIfNeeded: index &+ 1)
                let column = plan.columnOfSlot[slot]
                wanted[column &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: column)
            } else {
                addToRest(pair, slot: slot)
            }
        }
        if cutBytes < queryBytes { addOverflow(from: cutBytes, queryBytes) }
    }

    @inline(always)
    private func slotOfName(_ pair: UnsafeMutablePointer<cbytes_form_pair>) -> Int {
        let name = query + Int(pair.pointee.key_at)
        let count = Int(pair.pointee.key_bytes)
        if pair.pointee.dirty & 1 == 0 { return plan.parameters.slot(name, count) }
        guard
            let decoded = decodeForm(
                name, count, into: scratch, limit: Schema.Limit.parameterBytesMax)
        else { return -1 }
        return plan.parameters.slot(Bytes(scratch), decoded)
    }
}
