import Core

/// Makes the batches of a lane out of its spool records, a slice of work at a time: whole
/// consecutive spool records fill each Firehose record as far as they fit.
struct BatchBuilder: ~Copyable {
    /// Work of one callback.
    static let sliceBytes = 64 << 10
    /// A payload up to here is taken in one go.
    static let wholePayloadBytesMax = 128 << 10

    /// Firehose bills each record as if it were filled up to a multiple of this.
    static let billedStepBytes = 5120
    /// That much of it unused is as good as none.
    private static let billedWasteMax = 512

    enum Progress: Equatable {
        case more
        /// A batch is ready; `reachedEnd`: it holds all the spool had.
        case ready(reachedEnd: Bool)
        /// The spool had nothing.
        case empty
    }

    /// A spool record, or what is left of it, that waits for the next slice or the next batch. Its
    /// bytes stay the spool's: they are valid until the next read, which comes after it.
    private struct Leftover {
        var view: SpoolRecordView
        var taken: Int
    }

    var body: PutRecordBatchBody
    var ledger = BatchLedger()
    private var leftover: Leftover?
    let source: DeliverySource
    /// In BatchBuilder+Search: the call that was refused for its rows, while they are searched for.
    var refusedCall: RefusedCall?
    /// Searches since one came to its end.
    var searchesStuck = 0
    /// Rows found, that the cursor has not come to.
    var refusedRows: [[UInt8]] = []
    /// How far it is to move once they are in safety.
    var owedAdvance: BatchLedger.Advance?
    /// It has moved over such rows, and is to be on disk before more follow.
    var isCursorOwed = false
    /// Of the records of the call others were taken.
    var tookOthers = false
    private let recordBytesMax: Int
    private let callBytesMax: Int
    private let recordRowsMax: Int
    /// Of the record that `append` continues. Kept only where they are limited.
    private var openRecordRows = 0
    /// Rows of the spool records that end in the batch.
    private var rowCount = 0

    /// - Parameters:
    ///   - recordBytesMax, callBytesMax: smaller ones than Firehose's own fit a small quota.
    ///   - recordRowsMax: for what comes after Firehose and counts rows. Each record is billed as a
    ///     multiple of 5,120 bytes, so few rows a record cost many times as much.
    init(
        streamName: String, source: DeliverySource,
        recordBytesMax: Int = Limits.firehoseRecordBytesMax,
        callBytesMax: Int = Limits.firehoseCallBytesMax,
        recordRowsMax: Int = .max
    ) {
        body = PutRecordBatchBody(streamName: streamName)
        self.source = source
        self.recordBytesMax = recordBytesMax
        self.callBytesMax = callBytesMax
        self.recordRowsMax = recordRowsMax
    }

    /// What the batch holds.
    var load: RowLoad { RowLoad(bytes: body.rawBytes, rows: rowCount) }

    /// Begins a batch. `small`: memory of a large one is given back.
    mutating func begin(small: Bool) {
        if small { body.beginSmall() } else { body.begin() }
        ledger.begin()
        rowCount = 0
        (refusedCall, tookOthers) = (nil, false)
        // What is left over belongs to a record whose lane goes on.
        if leftover == nil { source.beginBatch() }
    }

    /// One slice of making the batch, or of making it anew after a partial failure.
    ///
    /// - Parameter earlyEndBytes: from so many raw bytes on the batch may end before the spool does,
    ///   where its last record wastes little of what is billed.
    mutating func advance(earlyEndBytes: Int? = nil) -> Progress {
        if let refusedCall, let progress = make(refusedCall) { return progress }
        if body.isCompacting {
            return body.compact(sliceBytes: Self.sliceBytes) ? .ready(reachedEnd: false) : .more
        }
        let goal = body.rawBytes + Self.sliceBytes
        while body.rawBytes < goal {
            if leftover == nil {
                if isGoodEnd(from: earlyEndBytes) { return finish(reachedEnd: false) }
                guard case .record(let view) = source.readNext() else {
                    return body.records.isEmpty ? .empty : finish(reachedEnd: source.isAtEnd)
                }
                if !take(view) { leftover = Leftover(view: view, taken: 0) }
            } else if !takePart() {
                return finish(reachedEnd: false)
            }
        }
        body.hashWritten()
        return .more
    }

    private func isGoodEnd(from earlyEndBytes: Int?) -> Bool {
        guard let earlyEndBytes, body.rawBytes >= earlyEndBytes, body.rawBytes > 0 else {
            return false
        }
        let used = body.openRecordBytes % Self.billedStepBytes
        return used == 0 || used >= Self.billedStepBytes - Self.billedWasteMax
    }

    private mutating func finish(reachedEnd: Bool) -> Progress {
        body.finish()
        return .ready(reachedEnd: reachedEnd)
    }

    // MARK: Placing rows

    /// Takes a spool record whole, if that is cheap and it fits.
    private mutating func take(_ view: SpoolRecordView) -> Bool {
        guard view.payload.count <= min(Self.wholePayloadBytesMax, recordBytesMax),
            view.hitCount <= recordRowsMax,
            view.payload.isEmpty || openRecord(for: view.payload.count, rows: view.hitCount)
        else { return false }
        if !view.payload.isEmpty { body.append(view.payload) }
        ended(view)
        return true
    }

    /// Takes some rows of the leftover; false when the call is full.
    private mutating func takePart() -> Bool {
        guard var it = leftover else { return true }
        let whole = it.view.payload.count
        if it.taken == 0 {
            guard body.rawBytes + min(whole, recordBytesMax) <= callBytesMax else { return false }
            guard recordsFit(it.view) else { return false }
            if body.openRecordBytes + whole > recordBytesMax { body.closeRecord() }
        }
        let rest = UnsafeRawBufferPointer(rebasing: it.view.payload[it.taken...])
        var count = Self.rowsEnd(rest, preferred: Self.sliceBytes, limit: recordBytesMax)
        var rows = 0
        if recordRowsMax < Int.max {
            if openRecordRows >= recordRowsMax { body.closeRecord() }
            let room = recordRowsMax - (body.openRecordBytes > 0 ? openRecordRows : 0)
            (count, rows) = Self.firstRows(rest[..<count], atMost: room)
        }
        guard openRecord(for: count, rows: rows) else { return false }
        body.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        it.taken += count
        leftover = it
        if it.taken == whole {
            ended(it.view)
            leftover = nil
        }
        return true
    }

    /// Whether a call that holds something has room for all the records of this spool record, where
    /// their rows are limited. One that goes on in the next call comes again whole after a death.
    private func recordsFit(_ view: SpoolRecordView) -> Bool {
        if recordRowsMax == Int.max || body.records.isEmpty { return true }
        let records = (view.hitCount + recordRowsMax - 1) / recordRowsMax
        return body.records.count + records <= Limits.firehoseCallRecordsMax
    }

    /// Makes sure that the open record takes so much more; false when the call is full.
    private mutating func openRecord(for count: Int, rows: Int) -> Bool {
        guard body.rawBytes + count <= callBytesMax else { return false }
        if body.openRecordBytes > 0, body.openRecordBytes + count <= recordBytesMax,
            recordRowsMax == Int.max || openRecordRows + rows <= recordRowsMax
        {
            openRecordRows &+= rows
            return true
        }
        guard body.records.count < Limits.firehoseCallRecordsMax else { return false }
        body.closeRecord()
        ledger.openEntry()
        openRecordRows = rows
        return true
    }

    private mutating func ended(_ view: SpoolRecordView) {
        rowCount += view.hitCount
        ledger.recordEnded(view, entryBytes: body.records.last?.rawBytes ?? 0)
    }

    /// Where the first rows end, and how many they are.
    static func firstRows(
        _ rows: Slice<UnsafeRawBufferPointer>, atMost limit: Int
    ) -> (end: Int, rows: Int) {
        var count = 0
        var at = rows.startIndex
        while count < limit, at < rows.endIndex,
            let newline = rows[at...].firstIndex(of: UInt8(ascii: "\n"))
        {
            at = newline + 1
            count += 1
        }
        // A part of a row that does not end here counts as one.
        return at == rows.startIndex ? (rows.endIndex, 1) : (at, count)
    }

    /// Where to cut rows: after the last that ends within `preferred` bytes; else after the first
    /// that ends within `limit`. A row beyond that (no hit makes one) is cut at the limit: Firehose
    /// joins records, so it is whole again behind it.
    static func rowsEnd(_ rows: UnsafeRawBufferPointer, preferred: Int, limit: Int) -> Int {
        let preferred = min(preferred, limit)
        if rows.count <= preferred { return rows.count }
        let newline = UInt8(ascii: "\n")
        if let last = rows[..<preferred].lastIndex(of: newline) { return last + 1 }
        let end = min(rows.count, limit)
        if let next = rows[preferred..<end].firstIndex(of: newline) { return next + 1 }
        return end
    }

    // MARK: After a call

    var callRecordCount: Int { refusedCall?.partRecords.count ?? ledger.callRecordCount }

    /// Firehose took the call but for these records of it, which form the next: `advance` until it
    /// is ready. The cursor moves up to the first of them, unless it passes rows that are to be set
    /// aside before (`isOccupied`).
    mutating func settle(failed: [Int]) {
        tookOthers = tookOthers || failed.count < ledger.callRecordCount
        if !failed.isEmpty { body.keepOnly(failed) }
        guard let advance = ledger.settle(failed: failed) else { return }
        if advance.setAside > 0 { owedAdvance = advance } else { source.commit(advance) }
    }
}
