import Core
import Platform

enum SetAsideOutcome: Equatable {
    /// Safe. In the bad lane they are to be delivered, these.
    case stored(RowLoad)
    /// Not before a sync that is under way, or follows: to be asked again soon.
    case syncing
    /// Not now, and why: to be asked again.
    case refused(String)
}

/// Where the rows of a lane go that Firehose refuses: out of the way, and never lost.
enum Refuge {
    /// Rows of a good lane become bad rows of its shard's bad lane.
    case badLane(UnsafeMutablePointer<SpoolLane>, MovedRowFormat, incarnation: UInt64)
    /// Rows of a bad lane, and rows too long for a bad row, are files in the shard's quarantine.
    case quarantine

    func replacing(lane: UnsafeMutablePointer<SpoolLane>) -> Refuge {
        switch self {
        case .badLane(_, let format, let incarnation):
            .badLane(lane, format, incarnation: incarnation)
        case .quarantine: .quarantine
        }
    }

    func take(
        _ rows: [[UInt8]], outOf lane: inout SpoolLane, _ advance: BatchLedger.Advance
    ) -> SetAsideOutcome {
        let passed =
            lane.cursor.passed + advance.delivered + advance.setAside + advance.dropped
        guard case .badLane(let badLane, let format, let incarnation) = self else {
            return lane.quarantine(rows, passed: passed)
        }
        // A loss of power must not leave the second life of a hit whose first it took.
        if lane.isSyncing, lane.durableHits < passed { return .syncing }
        if !lane.isSyncing, lane.activeFile >= 0 { try? lane.files.syncData(lane.activeFile) }
        let long = rows.filter { !format.fits($0) }
        if !long.isEmpty {
            let outcome = lane.quarantine(long, passed: passed)
            guard case .stored = outcome else { return outcome }
        }
        let moved = MovedBatch(
            rows: rows.map(format.badRow), passed: passed,
            receivedAtMicroseconds: advance.receivedAtMicroseconds)
        let outcome = badLane.pointee.take(moved, as: incarnation)
        badLane.pointee.keepsMove = badLane.pointee.mustKeep(moved, as: incarnation)
        switch outcome {
        case .stored: return .stored(RowLoad(bytes: moved.rows.count, rows: rows.count))
        case .notDurable: return .syncing
        case .refused(.full): return .refused("the bad lane is full")
        case .refused(.failed(let failure)): return .refused("the bad lane: \(failure)")
        case .refused(.stored): preconditionFailure()
        }
    }
}

extension Refuge {
    /// After the cursor has passed rows that were set aside: why more are not to follow, if so. As
    /// long as the cursor on disk does not know of them, what the bad lane has of them stays.
    func release(_ lane: inout SpoolLane) -> String? {
        guard case .badLane(let badLane, _, _) = self else { return nil }
        if !lane.cursorIsWritten { lane.writeCursor() }
        badLane.pointee.keepsMove = false
        badLane.pointee.keepsPassed = !lane.cursorIsWritten
        return lane.cursorIsWritten
            ? nil : "the cursor: \(lane.cursorFailure.map { "\($0)" } ?? "not written")"
    }
}

extension SpoolLane {
    /// Keeps rows in a file of the shard's quarantine.
    fileprivate mutating func quarantine(_ rows: [[UInt8]], passed: UInt64) -> SetAsideOutcome {
        guard let quarantine else { return .refused("there is no quarantine") }
        var moved: [MovedAside] = []
        defer { notices += moved.map { .moved($0) } }
        switch quarantine.keep(refused: rows, lane, upTo: passed, noting: &moved) {
        case .kept, .known:
            notices.append(.refusedKept(folder: quarantine.folder, hits: UInt64(rows.count)))
            return .stored(RowLoad())
        case .full: return .refused("\(quarantine.folder) is full")
        case .failed(let failure): return .refused("\(quarantine.folder): \(failure)")
        }
    }
}
