import Platform

/// Reads all places where rows can be and gives the rows to a join.
///
/// The order is the way a row takes: spool, the local Firehose's buffers, objects, warehouse. So a
/// row that moves on while all this is read is met at least once; that it is met twice does no
/// harm.
final class EvidenceReader {
    let join: LedgerJoin
    var notes: [String] = []
    var unreadable: [String] = []
    private let progress: (Double) -> Void
    private var bytesTotal: UInt64
    private var bytesDone: UInt64 = 0
    private var bytesTold: UInt64 = 0
    private var seenFiles: Set<FileIdentity> = []
    /// Objects below the prefix of what Firehose could not process or deliver.
    var errorObjects = 0
    var emptyFolders: [String] = []

    private static let tellEveryBytes: UInt64 = 4 << 20
    private static let namesMax = 20

    init(join: LedgerJoin, bytesTotal: UInt64, progress: @escaping (Double) -> Void) {
        self.join = join
        self.bytesTotal = max(bytesTotal, 1)
        self.progress = progress
    }

    /// Bytes on disk, roughly: folders change while they are read.
    static func byteCount(of evidence: Evidence) -> UInt64 {
        var sum: UInt64 = 0
        for folder in evidence.spools + evidence.shards + evidence.streams + evidence.objects {
            FileKind.walk(folder) {
                sum += $1
            } didFail: { _, _ in
            }
        }
        for file in evidence.files { sum += fileSize(file) }
        return sum
    }

    static func fileSize(_ path: String) -> UInt64 {
        guard let file = try? Files.open(path) else { return 0 }
        defer { Files.close(file) }
        return UInt64((try? fileByteCount(file)) ?? 0)
    }

    func readAll(_ evidence: Evidence) {
        notes += evidence.notes
        for folder in evidence.spools { readSpool(folder) }
        for folder in evidence.shards { readShard(folder) }
        for folder in evidence.streams { readStreams(folder) }
        for folder in evidence.objects { readObjects(folder) }
        for path in evidence.files { readFile(path) }
        if errorObjects > 0 {
            notes.append(
                "\(errorObjects) objects hold what Firehose could not process or deliver "
                    + "(processing-failed and the like): their rows count as delivered")
        }
    }

    /// So many bytes of files are done with.
    func didRead(_ byteCount: UInt64) {
        bytesDone += byteCount
        guard bytesDone - bytesTold >= Self.tellEveryBytes else { return }
        bytesTold = bytesDone
        progress(min(1, Double(bytesDone) / Double(bytesTotal)))
    }

    func didFail(_ path: String, _ reason: String) {
        if unreadable.count == Self.namesMax {
            unreadable.append("and others")
        } else if unreadable.count < Self.namesMax {
            unreadable.append("\(path): \(reason)")
        }
    }

    /// Whether the open file was read before, by this name or another.
    func isNew(_ file: Int32) -> Bool {
        guard let identity = FileIdentity(file) else { return true }
        return seenFiles.insert(identity).inserted
    }

    /// What the scanner met that was no row.
    func note(_ scanner: borrowing RowScanner, of path: String) {
        if scanner.linesTooLong > 0 {
            didFail(path, "\(scanner.linesTooLong) lines are longer than 4 MiB")
        }
    }
}
