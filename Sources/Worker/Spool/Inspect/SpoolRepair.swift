import Core
import Platform

/// Why a repair cannot be.
public struct SpoolRepairFailure: Error, CustomStringConvertible {
    public let description: String
    /// A cluster runs: the rest is well.
    public let isInUse: Bool
}

/// Makes a shard of a stopped cluster such that `LaneWalk` finds no damage: damaged bytes go to
/// quarantine, segments with damage are written anew without it, torn ends are cut off, foreign
/// files are renamed, missing hits are noted. No record that can be read is lost, and nothing else
/// is deleted: quarantine takes all, however much.
///
/// A death at any moment leaves records either in the old segment or in the new one, and a cursor
/// from which all that was undelivered is delivered: before a segment is written anew the cursor
/// goes to its beginning, and what it has passed is skipped by the lane's count.
public struct SpoolRepair {
    /// What is done, or would be.
    public enum Step: Equatable, Sendable {
        case quarantined(SpoolLaneName, SpoolFinding)
        case rewritten(SpoolLaneName, segment: UInt64, from: UInt64, to: UInt64)
        /// `to` is nil in a dry run.
        case renamed(SpoolLaneName, segment: UInt64, to: String?)
        /// It was in the way.
        case movedAside(MovedAside)
        case noted(SpoolLaneName, SpoolFinding)
        case cursorWritten(SpoolLaneName)
    }

    /// Repairs one shard, or says what a repair would do. A dry run takes no lock.
    public static func run(
        spoolFolder: String, shard: Int, isDryRun: Bool, report: (Step) -> Void
    ) throws(SpoolRepairFailure) {
        let folder = ShardSpool.folder(spoolFolder: spoolFolder, shard: shard)
        do throws(Failure) {
            var moved: [MovedAside] = []
            let lock = isDryRun ? -1 : try takeLock(folder, noting: &moved)
            for moved in moved { report(.movedAside(moved)) }
            defer { if lock >= 0 { Files.close(lock) } }
            if isDryRun || lock >= 0 {
                for lane in SpoolLaneName.allCases {
                    try LaneRepair(folder, shard, lane, isDryRun: isDryRun).run(report)
                }
                return
            }
        } catch {
            throw SpoolRepairFailure(description: "\(folder): \(error)", isInUse: false)
        }
        let holder = ShardSpool.holder(of: folder)?.pid.map { "process \($0)" }
        throw SpoolRepairFailure(
            description: "\(folder) is in use by \(holder ?? "another process")", isInUse: true)
    }

    /// -1 when another has it.
    private static func takeLock(
        _ folder: String, noting moved: inout [MovedAside]
    ) throws(Failure) -> Int32 {
        let file = try Files().openOurs("\(folder)/lock", noting: &moved)
        if try Files.lock(file) { return file }
        Files.close(file)
        return -1
    }
}

/// The same of one lane.
private struct LaneRepair {
    let folder: LaneFolder
    let shardFolder: String
    let shard: Int
    let lane: SpoolLaneName
    let isDryRun: Bool
    let quarantine: Quarantine
    let files = Files()

    init(_ shardFolder: String, _ shard: Int, _ lane: SpoolLaneName, isDryRun: Bool) {
        (self.shardFolder, self.shard, self.lane) = (shardFolder, shard, lane)
        self.isDryRun = isDryRun
        folder = LaneFolder(path: "\(shardFolder)/\(lane.folder)")
        quarantine = Quarantine(
            folder: ShardSpool.quarantineFolder(shardFolder), files: Files())
    }

    func run(_ report: (SpoolRepair.Step) -> Void) throws(Failure) {
        var walk = try LaneWalk(shardFolder: shardFolder, shard: shard, lane: lane)
        var findings: [SpoolFinding] = []
        walking: while true {
            switch walk.next() {
            case .record: continue
            case .finding(let finding): findings.append(finding)
            case .end: break walking
            }
        }
        var moved: [MovedAside] = []
        defer { for moved in moved { report(.movedAside(moved)) } }
        for finding in findings where finding.kind == .damage {
            report(.quarantined(lane, finding))
            if !isDryRun { try keep(finding, noting: &moved) }
        }
        for finding in findings where finding.kind == .missing && !finding.isAccounted {
            report(.noted(lane, finding))
            if !isDryRun { try quarantine.note(missing: finding, lane, noting: &moved) }
        }
        for finding in findings where finding.kind == .foreign {
            let aside = isDryRun ? nil : try files.setAside(folder.segment(finding.segment))
            report(.renamed(lane, segment: finding.segment, to: aside?.newPath))
        }
        try rewrite(findings, report, noting: &moved)
        if findings.contains(where: { $0.kind == .cursor }) {
            report(.cursorWritten(lane))
            if !isDryRun { try writeCursor(noting: &moved) { _ in } }
        }
    }

    private func keep(
        _ finding: SpoolFinding, noting moved: inout [MovedAside]
    ) throws(Failure) {
        let file = try files.open(folder.segment(finding.segment))
        defer { files.close(file) }
        let span = DamagedSpan(
            lane: lane, segment: finding.segment, offset: finding.offset,
            byteCount: finding.byteCount)
        let outcome = quarantine.keep(span, from: file, bytesMax: .max, noting: &moved)
        if case .failed(let failure) = outcome { throw failure }
    }

    /// Each segment that is not whole, once.
    private func rewrite(
        _ findings: [SpoolFinding], _ report: (SpoolRepair.Step) -> Void,
        noting moved: inout [MovedAside]
    ) throws(Failure) {
        let broken: [SpoolFinding.Kind] = [.damage, .head, .tornTail, .repeated]
        let numbers = Set(findings.filter { broken.contains($0.kind) }.map(\.segment)).sorted()
        if numbers.isEmpty { return }
        let found = try LaneRecovery(folder: folder, lane: lane, shard: UInt16(shard))
        var passed = Passed()
        for segment in found.segments {
            let isBroken = numbers.contains(segment.number)
            let new = try SegmentCopy(self, segment, isWritten: isBroken && !isDryRun)
                .run(&passed, noting: &moved)
            guard isBroken else { continue }
            report(
                .rewritten(lane, segment: segment.number, from: segment.byteCount, to: new))
            if isDryRun { continue }
            if found.cursor.position.segment == segment.number {
                try writeCursor(noting: &moved) { cursor in
                    cursor.position.offset = UInt64(SegmentHead.byteCount)
                }
            }
            try files.rename(partPath, to: folder.segment(segment.number))
            try files.syncFolder(folder.path)
        }
    }

    var partPath: String { folder.path + "/repair.part" }

    /// Both slots anew, so that neither is older than what is done next.
    private func writeCursor(
        noting moved: inout [MovedAside], _ change: (inout SpoolCursor) -> Void
    ) throws(Failure) {
        let found = try LaneRecovery(folder: folder, lane: lane, shard: UInt16(shard))
        var cursor = found.cursor
        cursor.cumulativeHits = found.cumulativeHits
        cursor.cumulativeMoved = found.cumulativeMoved
        change(&cursor)
        let file = try files.openOurs(folder.cursor, noting: &moved)
        defer { files.close(file) }
        for slot in [1 - (found.cursorSlot ?? 1), found.cursorSlot ?? 1] {
            cursor.generation += 1
            var bytes = [UInt8](repeating: 0, count: SpoolCursor.slotBytes)
            bytes.withUnsafeMutableBytes { cursor.write(to: $0.baseAddress!) }
            let written = try files.write(
                file, bytes, count: bytes.count, at: UInt64(slot * SpoolCursor.slotBytes))
            if written < bytes.count { throw .cutShort }
            try files.syncData(file)
        }
    }

    /// What the lane had come to before a segment: for heads that are lost.
    struct Passed: ~Copyable {
        var hits: UInt64 = 0
        var moved: UInt64 = 0
        /// Up to here the segment's hits are written again; 0 when none are.
        var hitsRewrittenTo: UInt64 = 0
        var origins = OriginTable()
    }

    /// A segment written anew from its head and its whole records.
    struct SegmentCopy {
        let repair: LaneRepair
        let segment: SegmentFile
        let isWritten: Bool

        init(_ repair: LaneRepair, _ segment: SegmentFile, isWritten: Bool) {
            (self.repair, self.segment, self.isWritten) = (repair, segment, isWritten)
        }

        /// Bytes of the copy. Counts on in `passed` whether it is written or not.
        func run(
            _ passed: inout Passed, noting moved: inout [MovedAside]
        ) throws(Failure) -> UInt64 {
            let files = repair.files
            let source = try files.open(repair.folder.segment(segment.number))
            var target: Int32 = -1
            defer { if target >= 0 { files.close(target) } }
            if isWritten {
                target = try files.openOurs(repair.partPath, noting: &moved)
                try files.truncate(target, to: 0)
            }
            var end = UInt64(SegmentHead.byteCount)
            passed.hitsRewrittenTo = 0
            if case .whole(let head, let origins) = repair.folder.readHead(
                source, number: segment.number, lane: repair.lane, shard: UInt16(repair.shard))
            {
                // What was written again after a failed sync stays, for the segment before may not
                // have it.
                passed.hits =
                    head.rewrittenHits > 0
                    ? head.hitsBeforeFirstRecord : max(passed.hits, head.cumulativeHits)
                passed.hitsRewrittenTo = head.rewrittenHits > 0 ? head.cumulativeHits : 0
                passed.moved = max(passed.moved, head.cumulativeMoved)
                passed.origins = origins
            }
            var reader = SegmentReader(files)
            reader.start(file: source, segment: segment.number, at: 0)
            var isFirst = true
            while let record = reader.next(limit: segment.byteCount) {
                let header = record.header
                let before = header.cumulativeHits - UInt64(header.hitCount)
                if before < passed.hits { continue }
                if isFirst { passed.hits = before }
                if isFirst { try writeHead(passed, to: target) }
                isFirst = false
                try write(
                    record.payload.baseAddress! - SpoolRecordHeader.byteCount,
                    header.recordBytes, to: target, at: end)
                end += UInt64(header.recordBytes)
                passed.hits = header.cumulativeHits
                if header.kind == .moved { passed.moved += UInt64(header.hitCount) }
                passed.origins.note(header.origin, header.sequence)
            }
            if isFirst { try writeHead(passed, to: target) }
            if isWritten { try files.syncData(target) }
            return end
        }

        private func writeHead(
            _ passed: borrowing Passed, to target: Int32
        ) throws(Failure) {
            guard isWritten else { return }
            let hits = max(passed.hits, passed.hitsRewrittenTo)
            let head = SegmentHead(
                lane: repair.lane, shard: UInt16(repair.shard), segment: segment.number,
                createdAtMicroseconds: realtimeMicroseconds(), cumulativeHits: hits,
                cumulativeMoved: min(passed.moved, hits), rewrittenHits: hits - passed.hits)
            let bytes = UnsafeMutableRawPointer.allocate(
                byteCount: SegmentHead.byteCount, alignment: 64)
            defer { bytes.deallocate() }
            head.write(to: bytes, origins: passed.origins)
            try write(bytes, SegmentHead.byteCount, to: target, at: 0)
        }

        private func write(
            _ bytes: UnsafeRawPointer, _ count: Int, to target: Int32, at offset: UInt64
        ) throws(Failure) {
            guard isWritten else { return }
            var done = 0
            while done < count {
                let written = try repair.files.write(
                    target, bytes + done, count: count - done, at: offset + UInt64(done))
                if written == 0 { throw .cutShort }
                done += written
            }
        }
    }
}
