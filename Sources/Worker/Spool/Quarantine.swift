import Core
import Platform

/// Bytes of a segment that are no records though they lie where records should.
struct DamagedSpan: Hashable {
    var lane: SpoolLaneName
    var segment: UInt64
    var offset: UInt64
    var byteCount: UInt64

    /// "good-0000000000000007-4096-312.damaged": what it is and where it was.
    var fileName: String {
        "\(lane.folder)-\(LaneFolder.digits(of: segment))-\(offset)-\(byteCount)\(Self.suffix)"
    }

    private static let suffix = ".damaged"

    init(lane: SpoolLaneName, segment: UInt64, offset: UInt64, byteCount: UInt64) {
        (self.lane, self.segment) = (lane, segment)
        (self.offset, self.byteCount) = (offset, byteCount)
    }

    /// Nil for any name that `fileName` does not make.
    init?(fileName: String) {
        guard fileName.hasSuffix(Self.suffix) else { return nil }
        let parts = fileName.dropLast(Self.suffix.count)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4,
            let lane = SpoolLaneName.allCases.first(where: { $0.folder == parts[0] }),
            let segment = UInt64(parts[1]), let offset = UInt64(parts[2]),
            let byteCount = UInt64(parts[3])
        else { return nil }
        self.init(lane: lane, segment: segment, offset: offset, byteCount: byteCount)
        guard self.fileName == fileName else { return nil }
    }
}

/// A shard's folder of damaged spans: copied aside before delivery passes them and their segment is
/// deleted, so that somebody can look at them. Each span once, known by its name, over any number of
/// readings and starts.
struct Quarantine {
    /// Of both lanes. Beyond it damage is only counted: a failing disk must not fill another.
    static let bytesMax: UInt64 = 64 << 20
    /// What is moved at a time.
    private static let pieceBytes = 256 << 10

    enum Outcome: Equatable {
        case kept
        /// It is there from an earlier reading.
        case known
        /// It would not fit under the cap.
        case full
        case failed(Failure)

        static func == (left: Outcome, right: Outcome) -> Bool {
            switch (left, right) {
            case (.kept, .kept), (.known, .known), (.full, .full): true
            case (.failed(let one), .failed(let other)): one.number == other.number
            default: false
            }
        }
    }

    let folder: String
    private let files: Files

    init(folder: String, files: Files) {
        self.folder = folder
        self.files = files
    }

    /// What it holds; empty when it does not exist.
    func spans() throws(Failure) -> [DamagedSpan] {
        do throws(Failure) {
            return try files.list(folder).compactMap { DamagedSpan(fileName: $0.name) }
        } catch {
            if error.isAbsent { return [] }
            throw error
        }
    }

    var byteCount: UInt64 {
        ((try? spans()) ?? []).reduce(0) { $0 &+ $1.byteCount }
    }

    /// Copies a span out of its segment's open file and makes the copy durable.
    func keep(
        _ span: DamagedSpan, from file: Int32, bytesMax: UInt64 = Self.bytesMax,
        noting moved: inout [MovedAside]
    ) -> Outcome {
        do throws(Failure) {
            let held = try spans()
            if held.contains(span) { return .known }
            let bytes = held.reduce(0) { $0 &+ $1.byteCount }
            if bytes &+ span.byteCount > bytesMax { return .full }
            try files.makeOurFolder(folder, noting: &moved)
            try copy(span, from: file, noting: &moved)
            return .kept
        } catch {
            return .failed(error)
        }
    }

    // MARK: Refused rows

    private static let refusedSuffix = ".refused"

    /// Keeps rows that Firehose refuses, durably, in a file of their own: "bad-hits-1208-700.refused",
    /// by the hits of the lane up to where its cursor passes them, and its bytes.
    func keep(
        refused rows: [[UInt8]], _ lane: SpoolLaneName, upTo passed: UInt64,
        noting moved: inout [MovedAside]
    ) -> Outcome {
        let bytes = rows.flatMap { $0 }
        let name = "\(lane.folder)-hits-\(passed)-\(bytes.count)\(Self.refusedSuffix)"
        do throws(Failure) {
            try files.makeOurFolder(folder, noting: &moved)
            let others = try files.list(folder).map(\.name).filter { $0 != name }
            if others.reduce(bytes.count, { $0 + Self.refusedBytes($1) }) > Self.bytesMax {
                return .full
            }
            let part = "\(folder)/part"
            let file = try files.openOurs(part, noting: &moved)
            defer { files.close(file) }
            try files.truncate(file, to: 0)
            let written = try files.write(file, bytes, count: bytes.count, at: 0)
            if written < bytes.count { throw .cutShort }
            try files.syncData(file)
            try files.rename(part, to: "\(folder)/\(name)")
            try files.syncFolder(folder)
            return .kept
        } catch {
            return .failed(error)
        }
    }

    /// By its name; 0 for any other file.
    private static func refusedBytes(_ name: String) -> Int {
        guard name.hasSuffix(refusedSuffix) else { return 0 }
        return name.dropLast(refusedSuffix.count).split(separator: "-").last.flatMap { Int($0) }
            ?? 0
    }

    // MARK: Missing hits

    private static let missingSuffix = ".missing"

    /// An empty file that says which hits of a lane are known to be missing: no bytes are left of
    /// them. "good-hits-1200-1207.missing", the first and the last, counted from 0.
    func note(
        missing finding: SpoolFinding, _ lane: SpoolLaneName, noting moved: inout [MovedAside]
    ) throws(Failure) {
        try files.makeOurFolder(folder, noting: &moved)
        let name =
            "\(lane.folder)-hits-\(finding.firstHit)-\(finding.firstHit + finding.hits - 1)"
            + Self.missingSuffix
        files.close(try files.openOurs("\(folder)/\(name)", noting: &moved))
        try files.syncFolder(folder)
    }

    /// The hits that are noted so.
    func missing(_ lane: SpoolLaneName) throws(Failure) -> MissingHits {
        let entries: [Files.Entry]
        do throws(Failure) {
            entries = try files.list(folder)
        } catch {
            if error.isAbsent { return MissingHits() }
            throw error
        }
        return MissingHits(entries.compactMap { Self.missing(in: $0.name, lane) })
    }

    /// Nil for a name that `note` does not make.
    static func missing(in name: String, _ lane: SpoolLaneName) -> Range<UInt64>? {
        guard name.hasSuffix(missingSuffix) else { return nil }
        let parts = name.dropLast(missingSuffix.count)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == lane.folder, parts[1] == "hits",
            let first = UInt64(parts[2]), let last = UInt64(parts[3]), first <= last, last < .max
        else { return nil }
        return first..<last + 1
    }

    /// Under another name first: a copy that a death cut short is begun anew.
    private func copy(
        _ span: DamagedSpan, from file: Int32, noting moved: inout [MovedAside]
    ) throws(Failure) {
        let path = "\(folder)/\(span.fileName)"
        let part = "\(folder)/part"
        let copy = try files.openOurs(part, noting: &moved)
        defer { files.close(copy) }
        try files.truncate(copy, to: 0)
        try files.copy(
            file, span.offset..<span.offset + span.byteCount, to: copy, pieceBytes: Self.pieceBytes)
        try files.syncData(copy)
        try files.rename(part, to: path)
        try files.syncFolder(folder)
    }
}

extension Files {
    /// Copies a range of one file to the beginning of another. What the disk refuses to read becomes
    /// zeros, so that the rest keeps its place.
    func copy(
        _ source: Int32, _ range: Range<UInt64>, to target: Int32, pieceBytes: Int
    ) throws(Failure) {
        let piece = UnsafeMutableRawPointer.allocate(byteCount: pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        var at = range.lowerBound
        while at < range.upperBound {
            let count = Int(min(UInt64(pieceBytes), range.upperBound - at))
            let got = (try? read(source, into: piece, count: count, at: at)) ?? 0
            if got < count {
                (piece + got).initializeMemory(as: UInt8.self, repeating: 0, count: count - got)
            }
            var done = 0
            while done < count {
                let place = at - range.lowerBound + UInt64(done)
                let written = try write(target, piece + done, count: count - done, at: place)
                if written == 0 { throw .cutShort }
                done += written
            }
            at += UInt64(count)
        }
    }
}
