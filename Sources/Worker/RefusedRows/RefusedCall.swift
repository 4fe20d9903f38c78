import Core

/// The rows of a call that the service refuses, in memory, and what of them goes into the next call.
///
/// The parts that are sent keep to the records of the call: a record of a part is a record of the
/// call, or what the part has of it.
final class RefusedCall {
    /// What is being written to the body: records, whose first `record` are there already, and of
    /// the next `done` bytes.
    private struct Making {
        var records: [Range<Int>]
        var record = 0
        var done = 0
        var isWholeCall = false
    }

    enum Progress { case more, partIsReady, wholeIsReady }

    private let storage: UnsafeMutableRawBufferPointer
    /// Raw bytes up to the end of each record of the call.
    private let recordEnds: [Int]
    private(set) var search: RefusedRowSearch
    /// Records of the call that are settled, counted from its first.
    private var settledRecords = 0
    private var making: Making?
    /// Of the part that is in the body.
    private(set) var partRecords: [Range<Int>] = []
    /// The body has a part that was not answered yet.
    private(set) var partIsReady = false

    /// - Parameters: as of the search.
    init(_ body: borrowing PutRecordBatchBody, tookSome: Bool, suspectsMax: Int) {
        storage = .allocate(byteCount: body.rawBytes, alignment: 16)
        var (end, ends) = (0, [Int]())
        for index in body.records.indices {
            end += body.decode(record: index, into: storage.baseAddress! + end)
            ends.append(end)
        }
        recordEnds = ends
        search = RefusedRowSearch(
            UnsafeRawBufferPointer(storage), tookSome: tookSome, suspectsMax: suspectsMax)
    }

    deinit { storage.deallocate() }

    private var rows: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }

    func row(_ range: Range<Int>) -> [UInt8] { Array(rows[range]) }

    // MARK: What is settled

    /// The next record of the call that is settled: the rows of it that are given up, and their
    /// places in it. Nil when it is not settled yet.
    func takeSettled() -> [(offset: Int, row: Range<Int>)]? {
        guard settledRecords < recordEnds.count, recordEnds[settledRecords] <= search.settledEnd
        else { return nil }
        let span = span(ofRecord: settledRecords)
        settledRecords += 1
        return search.refused.filter { span.contains($0.lowerBound) }
            .map { ($0.lowerBound - span.lowerBound, $0) }
    }

    private func span(ofRecord index: Int) -> Range<Int> {
        (index == 0 ? 0 : recordEnds[index - 1])..<recordEnds[index]
    }

    // MARK: Parts

    /// Chooses what to send next; `make` until it is ready.
    func next() -> RefusedRowSearch.Next {
        let next = search.next(in: rows)
        if case .part(let part) = next {
            let records = recordEnds.indices.map { span(ofRecord: $0).clamped(to: part) }
                .filter { !$0.isEmpty }
            making = Making(records: records)
            partRecords = records
        }
        return next
    }

    /// The whole call is to be made again.
    func restore() {
        making = Making(records: recordEnds.indices.map(span(ofRecord:)), isWholeCall: true)
    }

    var isRestoring: Bool { making?.isWholeCall == true }

    /// One slice of writing to the body what is to be sent. A part is finished then; the whole call
    /// may be gone on with.
    func make(_ body: inout PutRecordBatchBody, sliceBytes: Int) -> Progress {
        guard var it = making else { preconditionFailure("there is nothing to make") }
        let record = it.records[it.record]
        let start = record.lowerBound + it.done
        let end = min(start + sliceBytes, record.upperBound)
        body.append(UnsafeRawBufferPointer(rebasing: rows[start..<end]))
        body.hashWritten()
        it.done += end - start
        if it.done == record.count {
            body.closeRecord()
            (it.record, it.done) = (it.record + 1, 0)
        }
        making = it.record < it.records.count ? it : nil
        if making != nil { return .more }
        if it.isWholeCall { return .wholeIsReady }
        body.finish()
        partIsReady = true
        return .partIsReady
    }

    // MARK: Answers

    func partWasTaken() {
        partIsReady = false
        search.wasTaken()
    }

    func partWasRefused() {
        partIsReady = false
        search.wasRefused(in: rows)
    }

    /// But for these of its records.
    func partWasTaken(except failed: [Int]) {
        partIsReady = false
        search.wasTakenInPart(
            except: failed.map { partRecords[$0] }, tookSome: failed.count < partRecords.count)
    }
}
