import Core
import Platform

/// Another cluster that works on the same spool: settings that name one `spool.dir` with two data
/// folders. Its workers have the shards' locks, and would keep them for as long as they like.
///
/// A predecessor's worker that is just leaving has them too, and is waited for by ours: it has no
/// supervisor any more. So has `hydrant spool repair`, which is soon done.
struct SpoolHolder: Equatable {
    var shard: Int
    var worker: Int32
    var supervisor: Int32

    /// The first of the shards, if any, that a worker of a living other cluster has.
    static func find(_ settings: Settings) -> SpoolHolder? {
        for shard in 0..<settings.workers {
            guard let worker = Glue.holder(of: shard, settings),
                SocketHolder.comm(worker).hasPrefix("hydrant-worker"),
                let supervisor = parent(of: worker), supervisor != ownPid,
                SocketHolder.comm(supervisor) == "hydrant"
            else { continue }
            return SpoolHolder(shard: shard, worker: worker, supervisor: supervisor)
        }
        return nil
    }

    /// Waits for one that is just leaving.
    static func refuse(
        _ settings: Settings, patienceMs: UInt64, log: (String) -> Void
    ) throws(ClusterFailure) {
        let endNs = monotonicNanoseconds() + patienceMs * 1_000_000
        var hasSaid = false
        while let holder = find(settings) {
            if monotonicNanoseconds() >= endNs { throw holder.failure(settings) }
            if !hasSaid {
                hasSaid = true
                log(
                    "\(holder.failure(settings).message): waiting up to \(patienceMs / 1000) s")
            }
            sleepMs(100)
        }
    }

    func failure(_ settings: Settings) -> ClusterFailure {
        ClusterFailure(
            "spool.dir = \(settings.spoolFolder): another cluster (pid \(supervisor)) works there: "
                + "its worker (pid \(worker)) has shard \(shard)",
            hint: "give this one a spool of its own (--set spool.dir=/some/folder), or stop the "
                + "other: `kill \(supervisor)` stops it in order",
            exitCode: ClusterExit.unavailable)
    }

    /// "123 (hydrant-worker0) S 45 …": the name may hold anything, so the fields begin after it.
    static func parent(stat: String) -> Int32? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    private static func parent(of pid: Int32) -> Int32? {
        let bytes = (try? SmallFile.read("/proc/\(pid)/stat", byteCountMax: 4096)) ?? []
        return parent(stat: String(decoding: bytes, as: UTF8.self))
    }
}
