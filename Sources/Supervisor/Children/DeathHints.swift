import Platform

/// What the kernel tells about a death, beyond its signal.
///
/// libuv hands on an exit code and a signal, not the wait status, so whether a core was really
/// written is not known here; where it would be is.
struct DeathHints {
    /// Victims of the kernel's OOM killer on this machine, as last seen.
    private var memoryVictims: UInt64?

    init() { memoryVictims = Self.readMemoryVictims() }

    /// For a signal that nobody in the cluster sent; nil when there is nothing to add.
    mutating func hint(signal: Int32) -> String? {
        if signal == 9 {
            let before = memoryVictims
            memoryVictims = Self.readMemoryVictims()
            return Self.killHint(before: before, now: memoryVictims, limit: Self.memoryLimit())
        }
        guard Self.coreSignals.contains(signal) else { return nil }
        let pattern = Self.line(of: "/proc/sys/kernel/core_pattern")
        return Self.coreHint(pattern: pattern, isAllowed: coreDumpsAreAllowed())
    }

    static func killHint(before: UInt64?, now: UInt64?, limit: String?) -> String {
        if let before, let now, now > before {
            let cap = limit.map { "this cgroup's memory.max is \($0)" } ?? "no cgroup limits it"
            return "out of memory: the kernel's OOM killer struck; \(cap)"
        }
        return
            "not by the supervisor: somebody's kill -9, or the kernel's for want of memory (dmesg)"
    }

    /// A pipe is told of every core; a file is written only within the limit.
    static func coreHint(pattern: String?, isAllowed: Bool) -> String? {
        guard let pattern, !pattern.isEmpty else { return nil }
        if pattern.hasPrefix("|") {
            let program = pattern.dropFirst().prefix { $0 != " " }
            return "its core went to \(program)"
        }
        return isAllowed ? "its core is in \(pattern)" : "no core: ulimit -c is 0"
    }

    /// "oom_kill 3" of /proc/vmstat.
    static func memoryVictims(vmstat: String) -> UInt64? {
        for line in vmstat.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return UInt64(line.dropFirst("oom_kill ".count))
        }
        return nil
    }

    /// The version-2 group of a /proc/self/cgroup: "0::/system.slice/hydrant.service".
    static func group(cgroup: String) -> String? {
        for line in cgroup.split(separator: "\n") where line.hasPrefix("0::") {
            return String(line.dropFirst("0::".count))
        }
        return nil
    }

    /// Those whose default is to dump core.
    private static let coreSignals: Set<Int32> = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31]

    private static func readMemoryVictims() -> UInt64? {
        text(of: "/proc/vmstat").flatMap { memoryVictims(vmstat: $0) }
    }

    /// "536870912", of the first group upwards that has one.
    private static func memoryLimit() -> String? {
        guard var group = text(of: "/proc/self/cgroup").flatMap({ group(cgroup: $0) }) else {
            return nil
        }
        while true {
            let limit = line(of: "/sys/fs/cgroup\(group == "/" ? "" : group)/memory.max")
            if let limit, limit != "max" { return limit }
            guard group != "/", let slash = group.lastIndex(of: "/") else { return nil }
            group = slash == group.startIndex ? "/" : String(group[..<slash])
        }
    }

    private static func line(of path: String) -> String? {
        text(of: path).map { String($0.prefix { $0 != "\n" }) }
    }

    private static func text(of path: String) -> String? {
        (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
