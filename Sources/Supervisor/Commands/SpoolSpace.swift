import Config
import Core
import Glibc
import Worker

/// Whether the spool's caps fit the file system it is on. Only a warning: the caps may never be
/// reached, and what is full now may be free when they are.
enum SpoolSpace {
    static func warnings(_ settings: Settings) -> [ConfigProblem] {
        var folder = settings.spoolFolder
        var status = statvfs()
        // The nearest folder there is.
        while statvfs(folder, &status) != 0 {
            guard folder != "/", let end = folder.lastIndex(of: "/") else { return [] }
            folder = end == folder.startIndex ? "/" : String(folder[..<end])
        }
        let warning = warning(
            settings, usedBytes: SpoolSummary.byteCount(spoolFolder: settings.spoolFolder),
            freeBytes: UInt64(status.f_bavail) * UInt64(status.f_frsize), folder: folder)
        return warning.map { [$0] } ?? []
    }

    /// - Parameters:
    ///   - usedBytes: What the spool has on disk already.
    ///   - freeBytes: What the file system has besides.
    static func warning(
        _ settings: Settings, usedBytes: UInt64, freeBytes: UInt64, folder: String
    ) -> ConfigProblem? {
        let (perWorker, overflow) = settings.spoolBytesMax.addingReportingOverflow(
            settings.spoolBadBytesMax)
        let (product, overflowToo) = perWorker.multipliedReportingOverflow(
            by: UInt64(settings.workers))
        let whole = overflow || overflowToo ? .max : product
        let room = freeBytes &+ usedBytes
        guard whole > room else { return nil }
        return ConfigProblem(
            .machine,
            "the spool of \(counted(settings.workers, "worker")) may grow to "
                + "\(mebibytes(whole)) MiB, and \(folder) has \(mebibytes(room)) MiB for it "
                + "(\(mebibytes(freeBytes)) free, \(mebibytes(usedBytes)) in use by it)",
            hint: advice(room / UInt64(settings.workers))
                + "; on a full disk hits are answered 503 "
                + "until deliveries free some")
    }

    private static func advice(_ bytesOfWorker: UInt64) -> String {
        if bytesOfWorker < 1 << 20 { return "make room, or set spool.dir to a larger file system" }
        return "let spool.max_bytes and spool.bad_max_bytes together be "
            + "\(mebibytes(bytesOfWorker)) MiB or less, or make room"
    }

    private static func mebibytes(_ bytes: UInt64) -> String { grouped(bytes >> 20) }
}
