import Platform

/// Who listens on a port, as far as /proc tells this user.
struct SocketHolder: Equatable {
    var pid: Int32
    /// The program's name.
    var name: String

    var isHydrant: Bool { name == "hydrant" || name.hasPrefix("hydrant-") }

    static func find(port: UInt16) -> SocketHolder? {
        var inodes: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let bytes = (try? SmallFile.read(table, byteCountMax: 4 << 20)) ?? []
            inodes.formUnion(
                listeningInodes(String(decoding: bytes, as: UTF8.self), port: port))
        }
        if inodes.isEmpty { return nil }
        let targets = Set(inodes.map { "socket:[\($0)]" })
        // The lowest pid first: of a cluster that is the supervisor, whom to talk to.
        for pid in SmallFile.names(in: "/proc").compactMap({ Int32($0) }).sorted() {
            let folder = "/proc/\(pid)/fd"
            for name in SmallFile.names(in: folder) {
                guard let target = SmallFile.linkTarget("\(folder)/\(name)") else { continue }
                if targets.contains(target) { return SocketHolder(pid: pid, name: comm(pid)) }
            }
        }
        return nil
    }

    /// The inodes of sockets that listen on the port, out of a /proc/net/tcp table. Lines read
    /// "  sl: local:PORT remote:PORT st tx:rx tr:when retrnsmt uid timeout inode …" in hex.
    static func listeningInodes(_ table: String, port: UInt16) -> Set<String> {
        var inodes: Set<String> = []
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[3] == "0A",
                let colon = fields[1].lastIndex(of: ":"),
                UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port
            else { continue }
            inodes.insert(String(fields[9]))
        }
        return inodes
    }

    /// "" when there is no such process.
    static func comm(_ pid: Int32) -> String {
        let bytes = (try? SmallFile.read("/proc/\(pid)/comm", byteCountMax: 64)) ?? []
        let name = String(decoding: bytes, as: UTF8.self)
        return name.hasSuffix("\n") ? String(name.dropLast()) : name
    }
}
