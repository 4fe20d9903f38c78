import Core

/// Holds the requests of ledgers against the rows that are found, each given one at a time and in
/// any order, but the ledgers' headers first.
///
/// It never asks where a row should be: a row is looked up by its label, 16 bytes of memory to a
/// request.
final class LedgerJoin {
    /// Another id of a request than the first that was seen, or more copies of the first than its
    /// cell can count.
    private struct RowKey: Hashable {
        var request: UInt64
        var id: UInt64
    }

    private struct Copies {
        var inObjects: UInt32 = 0
        var inWarehouse: UInt32 = 0

        mutating func add(_ place: RowPlace) {
            switch place {
            case .waiting: break
            case .objects: inObjects += 1
            case .warehouse: inWarehouse += 1
            }
        }
    }

    private struct Run {
        var run: UInt32
        var startMicroseconds: UInt64
    }

    private var runs: [Run] = []
    private var cells = LedgerCells()
    private var otherIDs: [RowKey: Copies] = [:]
    private var moreCopies: [RowKey: Copies] = [:]
    private var foreign = [UInt64](repeating: 0, count: RowPlace.allCases.count)
    private(set) var rowsRead: UInt64 = 0
    /// Entries of a request that had one.
    private(set) var entriesRepeated: UInt64 = 0
    private var unrecordedSinceAnnounced = 0
    /// The run looked up last: nearly always that of the next row, too.
    private var lastRun: (run: UInt32, index: Int)?

    // MARK: What the ledgers say

    /// A file of a run. Several of one run count from the earliest start.
    /// - Returns: the run's number, to give with its entries.
    func add(_ header: LedgerHeader, entries: Int) -> Int {
        cells.announce(requests: entries)
        if let known = index(of: header.run) {
            runs[known].startMicroseconds = min(
                runs[known].startMicroseconds, header.startMicroseconds)
            return known
        }
        runs.append(Run(run: header.run, startMicroseconds: header.startMicroseconds))
        cells.addRun()
        return runs.count - 1
    }

    /// What an entry's time counts from, as tenths of a millisecond after the run's start.
    func lead(of header: LedgerHeader, run: Int) -> UInt32 {
        let lead = (header.startMicroseconds - runs[run].startMicroseconds) / 100
        return UInt32(clamping: lead)
    }

    /// An entry of a file whose header was added.
    func take(_ entry: LedgerEntry, run: Int, lead: UInt32) {
        let cell = cells.cell(run: run, sequence: entry.sequence)
        let (sent, isTooLate) = entry.sentTenthMilliseconds.addingReportingOverflow(lead)
        if cell.pointee.state.contains(.isRecorded) {
            entriesRepeated += 1
            // A promise is not undone by another entry.
            if Promise(cell.pointee.outcome).rank >= Promise(entry.outcome).rank { return }
        }
        cell.pointee.state.insert(.isRecorded)
        cell.pointee.outcome = entry.outcome
        cell.pointee.sent = isTooLate ? .max : sent
    }

    private func index(of run: UInt32) -> Int? {
        if let lastRun, lastRun.run == run { return lastRun.index }
        guard let index = runs.firstIndex(where: { $0.run == run }) else { return nil }
        lastRun = (run, index)
        return index
    }

    // MARK: What is found

    func take(_ row: ScannedRow, from place: RowPlace) {
        rowsRead += 1
        guard let label = row.label, let run = index(of: label.run) else {
            foreign[place.rawValue] += 1
            return
        }
        let cell = cells.cell(run: run, sequence: label.sequence)
        if cell.pointee.state == [] { didMeetUnrecorded() }
        cell.pointee.state.insert(.row(isBad: row.isBad, at: place))
        if !cell.pointee.state.contains(.hasID) {
            cell.pointee.id = row.id
            cell.pointee.state.insert(.hasID)
        }
        let key = {
            RowKey(request: LedgerCells.key(run: run, sequence: label.sequence), id: row.id)
        }
        if cell.pointee.id != row.id {
            otherIDs[key(), default: Copies()].add(place)
        } else if place == .waiting {
            return
        } else if cell.pointee.state.copies(at: place) < LedgerCell.State.copiesMax {
            cell.pointee.state.addCopy(at: place)
        } else {
            moreCopies[key(), default: Copies()].add(place)
        }
    }

    /// Rows that no ledger knows need cells too.
    private func didMeetUnrecorded() {
        unrecordedSinceAnnounced += 1
        guard unrecordedSinceAnnounced == 4096 else { return }
        cells.announce(requests: 4096)
        unrecordedSinceAnnounced = 0
    }

    // MARK: What comes of it

    /// - Parameter didLose: called with the label of each lost request, and words on it.
    func findings(examples: Int, didLose: ((String) -> Void)? = nil) -> LedgerFindings {
        var findings = LedgerFindings()
        var badPromiseGoodRow: UInt64 = 0
        cells.forEach { run, sequence, cell in
            resent(of: cell, run: run, sequence, into: &findings)
            guard cell.state.contains(.isRecorded) else {
                findings.unrecorded += 1
                return
            }
            findings.sent += 1
            guard Self.count(cell, into: &findings) == .lost else { return }
            if !cell.state.isDisjoint(with: .anyRow) { badPromiseGoodRow += 1 }
            let isExample = findings.lostExamples.count < examples
            guard isExample || didLose != nil else { return }
            let words = self.words(run: run, sequence, cell)
            if isExample { findings.lostExamples.append(words) }
            didLose?(words)
        }
        for copies in otherIDs.values {
            findings.retried += 1
            findings.resent += UInt64(max(1, copies.inObjects, copies.inWarehouse) - 1)
        }
        findings.foreign =
            foreign[RowPlace.waiting.rawValue]
            + max(foreign[RowPlace.objects.rawValue], foreign[RowPlace.warehouse.rawValue])
        findings.rowsRead = rowsRead
        findings.runs = runs.map { String(HitLabel(run: $0.run, sequence: 0).text.prefix(8)) }
        findings.startedAtMicroseconds = runs.map(\.startMicroseconds).min() ?? 0
        if badPromiseGoodRow > 0 {
            findings.notes.append(
                "\(badPromiseGoodRow) of the lost were answered 400, and their rows are good ones")
        }
        if entriesRepeated > 0 {
            findings.notes.append(
                "\(entriesRepeated) ledger entries repeat a request; each counts once")
        }
        return findings
    }

    /// Copies of the first id, but for one.
    private func resent(
        of cell: LedgerCell, run: Int, _ sequence: UInt64, into findings: inout LedgerFindings
    ) {
        var inObjects = UInt64(cell.state.copies(at: .objects))
        var inWarehouse = UInt64(cell.state.copies(at: .warehouse))
        let most = UInt64(LedgerCell.State.copiesMax)
        if inObjects == most || inWarehouse == most {
            let key = RowKey(
                request: LedgerCells.key(run: run, sequence: sequence), id: cell.id)
            let more = moreCopies[key] ?? Copies()
            inObjects += UInt64(more.inObjects)
            inWarehouse += UInt64(more.inWarehouse)
        }
        findings.resent += max(1, inObjects, inWarehouse) - 1
    }

    private enum Fate { case promisedAndKept, lost, notPromised }

    /// Counts one request that was sent.
    private static func count(_ cell: LedgerCell, into findings: inout LedgerFindings) -> Fate {
        let promise = Promise(cell.outcome)
        switch promise {
        case .row: findings.acked += 1
        case .badRow: findings.ackedBad += 1
        case .refused: findings.refused += 1
        case .otherAnswer: findings.otherAnswers += 1
        case .noAnswer: findings.unanswered += 1
        }
        let state = cell.state
        switch promise {
        case .row where !state.isDisjoint(with: .goodArrived): findings.delivered += 1
        case .row where !state.isDisjoint(with: .anyBad),
            .badRow where !state.isDisjoint(with: .anyBad):
            findings.bad += 1
            if state.isDisjoint(with: .badArrived) { findings.badSpooled += 1 }
        case .row where state.contains(.goodWaiting): findings.spooled += 1
        case .row, .badRow:
            findings.lost += 1
            return .lost
        case .refused, .otherAnswer, .noAnswer:
            countUnpromised(promise, state, into: &findings)
            return .notPromised
        }
        return .promisedAndKept
    }

    private static func countUnpromised(
        _ promise: Promise, _ state: LedgerCell.State, into findings: inout LedgerFindings
    ) {
        if state.isDisjoint(with: .anyRow) { return }
        findings.unpromisedKept += 1
        if promise == .refused { findings.refusedKept += 1 }
        if promise == .noAnswer { findings.unansweredKept += 1 }
    }

    private func words(run: Int, _ sequence: UInt64, _ cell: LedgerCell) -> String {
        let label = HitLabel(run: runs[run].run, sequence: sequence)
        let sent = runs[run].startMicroseconds &+ UInt64(cell.sent) &* 100
        return
            "\(label.text), answered \(cell.outcome), sent \(LedgerReport.utc(microseconds: sent))"
    }
}

/// What an outcome promises of a request.
enum Promise {
    case row, badRow, refused, otherAnswer, noAnswer

    init(_ outcome: UInt16) {
        self =
            switch outcome {
            case 200..<400: .row
            case 400: .badRow
            case 503: .refused
            case 100...: .otherAnswer
            default: .noAnswer
            }
    }

    /// Of several, the strongest counts.
    var rank: Int {
        switch self {
        case .row: 4
        case .badRow: 3
        case .refused: 2
        case .otherAnswer: 1
        case .noAnswer: 0
        }
    }
}
