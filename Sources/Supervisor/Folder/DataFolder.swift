import Core
import Glibc
import Platform

/// The cluster's data folder: what lies where in it, and who may use it.
struct DataFolder: Equatable {
    let path: String

    var controlSocket: String { path + "/control.sock" }
    var lock: String { path + "/cluster.lock" }
    var localCredentials: String { path + "/local-credentials" }
    var runFolder: String { path + "/run" }
    /// The settings as children read them.
    var settingsSnapshot: String { settingsSnapshot(0) }
    /// After so many reloads.
    func settingsSnapshot(_ generation: Int) -> String {
        runFolder + (generation == 0 ? "/settings.toml" : "/settings-\(generation).toml")
    }
    /// That of the last reload, or of the start; nil where no cluster ever ran.
    var newestSettingsSnapshot: String? { snapshotGenerations.max().map(settingsSnapshot) }
    /// Of a predecessor that could not clean up.
    func removeReloadSnapshots() {
        for generation in snapshotGenerations where generation > 0 {
            SmallFile.remove(settingsSnapshot(generation))
        }
    }
    private var snapshotGenerations: [Int] {
        SmallFile.names(in: runFolder).compactMap { name in
            if name == "settings.toml" { return 0 }
            guard name.hasPrefix("settings-"), name.hasSuffix(".toml") else { return nil }
            return Int(name.dropFirst("settings-".count).dropLast(".toml".count))
        }
    }
    /// The schema as it was when the cluster started.
    var schemaSnapshot: String { schemaSnapshot(0) }
    func schemaSnapshot(_ generation: Int) -> String {
        String(settingsSnapshot(generation).dropLast(".toml".count)) + "-schema.toml"
    }

    /// Makes the folder and proves that it can be written.
    func prepare() throws(ClusterFailure) {
        try checkSocketPath()
        do {
            // It holds the spool: a folder that a power cut takes away takes all below it along.
            try SmallFile.makeFolder(path, isDurable: true)
            try SmallFile.makeFolder(runFolder)
            let probe = runFolder + "/.probe"
            SmallFile.remove(probe)
            try SmallFile.writeNew([], to: probe, mode: 0o600)
            SmallFile.remove(probe)
        } catch {
            throw ClusterFailure(
                "data = \(path): cannot write there: \(error.reason)",
                hint: ClusterFailure.remedy(for: error), exitCode: ClusterExit.cannotCreate)
        }
    }

    /// Takes away what a start has made that failed: only where the folder was not there before,
    /// nobody has the lock, and nothing else is in it.
    func removeUnused() {
        guard let lock = try? FileLock.take(self.lock) else {
            // On a disk that is full not even a lock can be made.
            if !SmallFile.exists(self.lock) {
                SmallFile.removeFolder(runFolder)
                SmallFile.removeFolder(path)
            }
            return
        }
        for file in [settingsSnapshot, schemaSnapshot, localCredentials] { SmallFile.remove(file) }
        SmallFile.removeFolder(runFolder)
        if SmallFile.names(in: path) == ["cluster.lock"] {
            SmallFile.remove(self.lock)
            SmallFile.removeFolder(path)
        }
        withExtendedLifetime(lock) {}
    }

    func checkSocketPath() throws(ClusterFailure) {
        let count = controlSocket.utf8.count
        if count <= unixPathBytesMax { return }
        throw ClusterFailure(
            "data = \(path): \(controlSocket) is \(count) bytes long, "
                + "a Unix socket's path holds at most \(unixPathBytesMax)",
            hint: "set data to a folder with a shorter path", exitCode: ClusterExit.cannotCreate)
    }

    /// Takes the folder for this process, waiting for a cluster that is just leaving.
    func takeLock(patienceMs: UInt64, log: (String) -> Void) throws(ClusterFailure) -> FileLock {
        let endNs = monotonicNanoseconds() + patienceMs * 1_000_000
        var hasSaid = false
        while true {
            do {
                if let lock = try FileLock.take(self.lock) {
                    lock.note("\(ownPid) running\n")
                    return lock
                }
            } catch {
                throw ClusterFailure.cannotWrite(lock, error)
            }
            let holder = lockHolder()
            if !holder.isStopping || monotonicNanoseconds() >= endNs {
                throw ClusterFailure(
                    "data = \(path): a cluster already runs here"
                        + (holder.pid.map { " (pid \($0))" } ?? ""),
                    hint: "stop it with `hydrant stop`, or give this one its own data folder "
                        + "(--set data=…) and ports",
                    exitCode: ClusterExit.unavailable)
            }
            if !hasSaid {
                hasSaid = true
                log("waiting up to \(patienceMs / 1000) s for pid \(holder.pid ?? 0) to leave")
            }
            sleepMs(50)
        }
    }

    /// Who wrote the lock file, and whether it said that it is leaving.
    func lockHolder() -> (pid: Int32?, isStopping: Bool) {
        let bytes = (try? SmallFile.read(lock, byteCountMax: 64)) ?? []
        let words = String(decoding: bytes, as: UTF8.self)
            .split(whereSeparator: { $0 == " " || $0 == "\n" })
        return (words.first.flatMap { Int32($0) }, words.dropFirst().first == "stopping")
    }
}
