import Foundation
import TestSupport
import Testing

/// A cluster whose folder "disk" is a file system of its own, as small as wanted, in a mount
/// namespace of its own (unshare(1)). Ends with this object.
final class SmallDisk {
    let cluster: Cluster
    private let holder: SpawnedProcess
    private var folder: String { cluster.folder.path }

    private static let script = """
        set -e
        mount -t tmpfs -o "$3" none "$1"
        disk=$1
        cd "$2"
        shift 3
        "$@" > cluster.log 2>&1 &
        pid=$!
        trap 'kill -TERM $pid; wait $pid || true' EXIT
        while [ ! -e done ]; do
            if [ -e remount ]; then
                mount -o "remount,$(cat remount)" none "$disk"
                rm remount
            fi
            sleep 0.05
        done
        """

    /// `options` are mount's, e.g. "size=1m".
    init(_ options: String, settings: [String], environment: [String: String]) throws {
        cluster = try Cluster(
            settings: settings + ["spool.dir=disk/spool"], environment: environment, start: false)
        let folder = cluster.folder.path
        let disk = folder + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        try Self.script.write(toFile: folder + "/disk.sh", atomically: true, encoding: .utf8)
        holder = try SpawnedProcess(
            "unshare",
            ["-rm", "bash", "disk.sh", disk, folder, options, binary, "run"] + cluster.finding,
            environment: cluster.environment, folder: folder, output: folder + "/disk.log",
            errors: folder + "/disk.log")
        let isReady = eventually(within: 15) {
            usleep(50_000)
            return (try? cluster.status().allReady) ?? false
        }
        try #require(
            isReady, "\((try? String(contentsOfFile: folder + "/disk.log", encoding: .utf8)) ?? "")"
        )
    }

    deinit {
        _ = FileManager.default.createFile(atPath: folder + "/done", contents: nil)
        if !holder.waitUntilExit(withinSeconds: 15) { holder.endNow() }
    }

    func remount(_ options: String) throws {
        try options.write(toFile: folder + "/remount", atomically: true, encoding: .utf8)
        let isDone = eventually(within: 10) {
            !FileManager.default.fileExists(atPath: folder + "/remount")
        }
        #expect(isDone)
    }

    /// Whether this machine lets a user mount; containers may not.
    static let isPossible: Bool = {
        let tried = try? run("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        return tried?.status == 0
    }()
}
