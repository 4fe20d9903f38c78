import Glibc
import Platform

/// Where rows can be: what a path given with --against turns out to be.
struct Evidence {
    /// Folders with a folder shard-<k> for each shard.
    var spools: [String] = []
    /// Folders of one shard.
    var shards: [String] = []
    /// Folders with a folder of buffers for each stream of the local Firehose.
    var streams: [String] = []
    /// Folders of objects, as in S3.
    var objects: [String] = []
    /// Objects, warehouses, unloaded tables: told apart by their bytes.
    var files: [String] = []
    var notes: [String] = []

    init(against paths: [String]) throws(LedgerFailure) {
        var seen: Set<String> = []
        for path in paths {
            guard let real = FileKind.realPath(path) else { throw Self.failure(path) }
            if seen.insert(real).inserted { add(real) }
        }
    }

    private static func failure(_ path: String) -> LedgerFailure {
        LedgerFailure(
            message: "--against \(path): \(Failure(errnoOf: "open").reason)",
            hint: "name a cluster's data folder (var), a folder of objects, or a warehouse")
    }

    private mutating func add(_ path: String) {
        guard FileKind.isFolder(path) else {
            files.append(path)
            return
        }
        let folders = FileKind.folders(in: path)
        if folders.contains("spool") || folders.contains("s3")
            || FileKind.isFolder(path + "/local/streams")
        {
            addData(path)
        } else if folders.contains(where: { SpoolNames.shard(ofFolder: $0) != nil }) {
            spools.append(path)
        } else if folders.contains("good"), folders.contains("bad"),
            SpoolNames.shard(ofFolder: FileKind.lastComponent(path)) != nil
        {
            shards.append(path)
        } else {
            objects.append(path)
        }
    }

    /// A cluster's data folder.
    private mutating func addData(_ path: String) {
        let settings = SettingsSnapshot(dataFolder: path)
        if let spool = FileKind.folder(path + "/spool") {
            spools.append(spool)
        } else if let elsewhere = settings.spoolFolder.flatMap(FileKind.folder) {
            spools.append(elsewhere)
            notes.append("the spool of \(path) is read where its settings say: \(elsewhere)")
        }
        if let buffers = FileKind.folder(path + "/local/streams") { streams.append(buffers) }
        addArrived(path)
        if settings.sink == "discard" {
            notes.append(
                "\(path): its local Firehose throws rows away (local.sink = discard): "
                    + "what was delivered counts as lost")
        }
    }

    /// Objects; the warehouse only where there are none.
    private mutating func addArrived(_ path: String) {
        guard let folder = FileKind.folder(path + "/s3") else {
            notes.append(
                "\(path) holds no objects: "
                    + "give those of S3, or the warehouse, with another --against")
            return
        }
        objects.append(folder)
        if !FileKind.holdsFiles(folder), let warehouse = FileKind.realPath(path + "/warehouse.db") {
            files.append(warehouse)
            notes.append("\(path) holds no objects: its warehouse is read instead")
        }
    }
}

/// What is at a path, links followed.
enum FileKind {
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// A path without links and detours; nil when nothing is there.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The last part of a path.
    static func lastComponent(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    /// The folder's own path; nil when there is none.
    static func folder(_ path: String) -> String? {
        isFolder(path) ? realPath(path) : nil
    }

    static func folders(in path: String) -> [String] {
        let entries = (try? Files.list(path)) ?? []
        return entries.map(\.name).filter { isFolder("\(path)/\($0)") }
    }

    /// Whether there is a file in it that `walk` would find.
    static func holdsFiles(_ path: String) -> Bool {
        var found = false
        walk(path) { _, _ in
            found = true
        } didFail: { _, _ in
        }
        return found
    }

    /// All files below a folder, by name, but those whose names begin with a dot: the local Firehose
    /// calls an object so while it writes it.
    static func walk(
        _ folder: String, _ take: (String, UInt64) -> Void, didFail: (String, Failure) -> Void
    ) {
        var walked: Set<String> = [folder]
        walk(folder, &walked, take, didFail)
    }

    private static func walk(
        _ folder: String, _ walked: inout Set<String>, _ take: (String, UInt64) -> Void,
        _ didFail: (String, Failure) -> Void
    ) {
        do throws(Failure) {
            for entry in try Files.list(folder).sorted(by: { $0.name < $1.name })
            where !entry.name.hasPrefix(".") {
                let path = folder + "/" + entry.name
                if entry.isRegular {
                    take(path, entry.byteCount)
                } else if let real = realPath(path) {
                    if !isFolder(real) {
                        take(real, entry.byteCount)
                    } else if walked.insert(real).inserted {
                        walk(real, &walked, take, didFail)
                    }
                } else {
                    didFail(path, Failure(errnoOf: "open"))
                }
            }
        } catch {
            didFail(folder, error)
        }
    }
}

/// The little that matters here of the settings a cluster wrote down when it started.
struct SettingsSnapshot {
    var spoolFolder: String?
    var sink: String?

    init(dataFolder: String) {
        let bytes = (try? SmallFile.read(dataFolder + "/run/settings.toml", byteCountMax: 1 << 20))
        var section = ""
        for line in String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("[") { section = String(line) }
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if section == "[spool]", parts[0] == "dir = " { spoolFolder = String(parts[1]) }
            if section == "[local]", parts[0] == "sink = " { sink = String(parts[1]) }
        }
    }
}
