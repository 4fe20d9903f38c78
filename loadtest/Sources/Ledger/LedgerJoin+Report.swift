import Platform

extension LedgerJoin {
    /// Lost requests that are named in the findings.
    static let examplesMax = 10

    /// What became of all requests of the ledgers.
    ///
    /// - Parameters:
    ///   - ledgers: files that `hydrant load --ledger` wrote: of several generators, of several runs.
    ///   - against: clusters' data folders, spool folders, folders of objects, objects, warehouses;
    ///     joined together.
    ///   - lostTo: a file to list every lost request in.
    ///   - progress: told now and then how much is read, 0 … 1.
    static func report(
        ledgers: [String], against: [String], lostTo: String? = nil,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws(LedgerFailure) -> LedgerFindings {
        let evidence = try Evidence(against: against)
        var files: [(path: String, header: LedgerHeader, byteCount: UInt64)] = []
        for path in Self.distinct(ledgers) {
            let (header, byteCount) = try LedgerFile.readHeader(path: path)
            files.append((path, header, byteCount))
        }
        let lost = try lostTo.map { (path) throws(LedgerFailure) in try LostList(path: path) }
        let join = LedgerJoin()
        let reader = EvidenceReader(
            join: join,
            bytesTotal: files.reduce(EvidenceReader.byteCount(of: evidence)) { $0 + $1.byteCount },
            progress: progress)
        // The ledgers first: what they promise by now must be somewhere by now.
        let runs = files.map {
            join.add($0.header, entries: Int($0.byteCount) / LedgerEntry.byteCount)
        }
        for (file, run) in zip(files, runs) { try reader.readLedger(file.path, file.header, run) }
        reader.readAll(evidence)
        var findings = join.findings(examples: examplesMax, didLose: lost.map { $0.add })
        findings.notes += reader.notes
        findings.unreadable = reader.unreadable
        if findings.foreign > 0 && findings.delivered + findings.spooled + findings.bad == 0 {
            findings.notes.append(
                "no row of these runs is there, only others: is it the right place?")
        }
        try lost?.close()
        progress(1)
        return findings
    }

    /// The same file named twice is read once.
    private static func distinct(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return paths.filter { seen.insert(FileKind.realPath($0) ?? $0).inserted }
    }
}

extension EvidenceReader {
    fileprivate func readLedger(
        _ path: String, _ header: LedgerHeader, _ run: Int
    ) throws(LedgerFailure) {
        let lead = join.lead(of: header, run: run)
        var ledger = LedgerReader()
        let join = self.join
        try ledger.read(path: path) {
            didRead($0)
        } take: {
            join.take($0, run: run, lead: lead)
        }
        if ledger.damagedBytes > 0 {
            // What they told of is not judged.
            unreadable.append("\(path): \(ledger.damagedBytes) bytes are no entries, passed over")
        }
        if ledger.tornBytes > 0 {
            notes.append("\(path): its last \(ledger.tornBytes) bytes are no whole entry")
        }
    }
}

/// The file that lists all lost requests.
final class LostList {
    private let path: String
    private let file: Int32
    private var waiting: [UInt8] = []
    private var failure: Failure?

    init(path: String) throws(LedgerFailure) {
        self.path = path
        file = LedgerFile.openToReplace(path)
        if file < 0 { throw Self.failure(path, Failure(errnoOf: "open")) }
    }

    func add(_ line: String) {
        waiting += Array((line + "\n").utf8)
        if waiting.count >= 64 << 10 { flush() }
    }

    private func flush() {
        do throws(Failure) {
            if failure == nil { try SmallFile.writeAll(waiting, to: file) }
        } catch {
            failure = error
        }
        waiting = []
    }

    func close() throws(LedgerFailure) {
        flush()
        closeDescriptor(file)
        if let failure { throw Self.failure(path, failure) }
    }

    private static func failure(_ path: String, _ failure: Failure) -> LedgerFailure {
        LedgerFailure(
            message: "\(path): \(failure.reason)",
            hint: "name a file in a folder that this user can write to and that has room")
    }
}
