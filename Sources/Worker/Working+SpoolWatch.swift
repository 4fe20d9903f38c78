import Core
import Glibc
import Platform

/// Looks after the spool about once a second, and tells the operator what it finds.
struct SpoolWatch {
    static let everyMs: UInt64 = 1000
    /// A refusal without another for so long may be over: only the next hit can tell.
    static let forgetMs: UInt64 = 10_000

    var nextMs: UInt64 = 0
    /// As it stands in the status.
    var trouble = ""
    private var log = DeliveryLog(everyMs: 30_000)
    private var refusals: UInt64 = 0
    private var refusedAtMs: UInt64 = 0
    private var damage = Adoption.Damage()

    /// The line for the log when the trouble changed, or lasts.
    mutating func line(for trouble: String?, nowMs: UInt64) -> String? {
        self.trouble = trouble ?? ""
        if let trouble { return log.trouble(String(trouble.prefix(60)), trouble, nowMs: nowMs) }
        return log.end("spool: all is well again")
    }

    /// Whether refusals (counted since the start) are old enough to be forgotten.
    mutating func refusalsAreOld(_ count: UInt64, nowMs: UInt64) -> Bool {
        if count != refusals { (refusals, refusedAtMs) = (count, nowMs) }
        return nowMs >= refusedAtMs + Self.forgetMs
    }

    /// The line for the log when more damage was found.
    mutating func line(for now: Adoption.Damage) -> String? {
        defer { damage = now }
        guard now != damage else { return nil }
        let records = now.recordsUnreadable - damage.recordsUnreadable
        let hits = now.hitsUnreadable - damage.hitsUnreadable
        let kept = now.quarantinedBytes - damage.quarantinedBytes
        let refused = now.quarantineRefusedBytes - damage.quarantineRefusedBytes
        let ignored = now.filesIgnored - damage.filesIgnored
        var parts: [String] = []
        if hits > 0 { parts.append("\(hits) hits in \(records) places cannot be read: dropped") }
        if kept > 0 { parts.append("\(kept) damaged B are kept in the shard's quarantine folder") }
        if refused > 0 { parts.append("\(refused) damaged B did not fit there") }
        if ignored > 0 {
            parts.append(
                (ignored == 1
                    ? "1 file in the lanes' folders is"
                    : "\(ignored) files in the lanes' folders are")
                    + " none of theirs, left alone")
        }
        return parts.isEmpty ? nil : "spool: " + parts.joined(separator: "; ")
    }
}

extension Working {
    func lookAfterSpool() {
        let nowMs = state.pointee.loop.nowMs
        guard nowMs >= state.pointee.spoolWatch.nextMs else { return }
        state.pointee.spoolWatch.nextMs = nowMs + SpoolWatch.everyMs
        for finding in state.pointee.spool.pointee.lookAfter() { tell(finding, "") }
        let orphan = state.pointee.adoption.shard.map { "shard \($0)'s " } ?? ""
        for finding in state.pointee.adoption.lookAfter() { tell(finding, orphan) }
        for notice in state.pointee.spool.pointee.takeNotices() { state.pointee.log(notice.line) }
        for notice in state.pointee.adoption.takeNotices() { state.pointee.log(notice.line) }
        let spool = state.pointee.spool
        if state.pointee.spoolWatch.refusalsAreOld(
            spool.pointee.good.refusals + spool.pointee.bad.refusals, nowMs: nowMs)
        {
            spool.pointee.good.forgetRefusal()
            spool.pointee.bad.forgetRefusal()
        }
        let trouble = spool.pointee.good.trouble ?? spool.pointee.bad.trouble
        if let line = state.pointee.spoolWatch.line(for: trouble, nowMs: nowMs) {
            state.pointee.log(line)
        }
        var damage = state.pointee.adoption.damage
        damage.add(spool.pointee.good)
        damage.add(spool.pointee.bad)
        if let line = state.pointee.spoolWatch.line(for: damage) { state.pointee.log(line) }
    }

    /// - Parameter whose: nothing for the worker's own shard.
    private func tell(_ finding: ShardSpool.Finding, _ whose: String) {
        switch finding {
        case .rescued(let lane, let rescue):
            let kept =
                rescue.rescuedBytes > 0
                ? "\(rescue.rescuedBytes) B that were open are written again" : "nothing was open"
            let lost =
                rescue.lostSegments > 0
                ? "\(rescue.lostSegments) segments (\(rescue.lostBytes) B) are gone; what they held "
                    + "undelivered is counted as dropped" : "no other segment is missing"
            state.pointee.log(
                "spool: files of \(whose.isEmpty ? "the " : whose)\(lane.folder) lane were removed or moved behind our back and "
                    + "are made again: \(kept), \(lost)")
        case .lostLock(let pid):
            let holder = pid.map { "process \($0)" } ?? "another process"
            state.pointee.log(
                "spool: the shard's lock file was removed and \(holder) has taken the shard: "
                    + "leaving it")
            // Nothing may be written here any more, not even a cursor.
            _exit(1)
        }
    }
}
