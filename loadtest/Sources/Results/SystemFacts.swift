import Glibc
import Platform

/// What a result says of the machine it was made on.
enum SystemFacts {
    static func machine() -> RunResult.Machine {
        var names = utsname()
        uname(&names)
        return RunResult.Machine(
            host: text(of: names.nodename),
            cpu: cpuName(in: contents("/proc/cpuinfo")) ?? text(of: names.machine),
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memoryBytes: memoryBytes(in: contents("/proc/meminfo")) ?? 0,
            kernel: "\(text(of: names.sysname)) \(text(of: names.release)) "
                + text(of: names.machine))
    }

    /// The first processor's model; ARM kernels give none.
    static func cpuName(in cpuinfo: String) -> String? {
        value(of: "model name", in: cpuinfo)
    }

    static func memoryBytes(in meminfo: String) -> UInt64? {
        guard let words = value(of: "MemTotal", in: meminfo)?.split(separator: " "),
            let kibibytes = words.first.flatMap({ UInt64($0) }), kibibytes < 1 << 50
        else { return nil }
        return kibibytes << 10
    }

    /// What the machine's CPUs did since it started, in ticks of all of them.
    struct CPUTimes: Equatable {
        var total: UInt64
        /// A virtual machine's: wanted, and given to others by the host.
        var stolen: UInt64

        /// Nil where nothing is known of it, or no time has passed.
        func stolenShare(since earlier: CPUTimes) -> Double? {
            guard total > earlier.total, stolen >= earlier.stolen else { return nil }
            return Double(stolen - earlier.stolen) / Double(total - earlier.total)
        }
    }

    static func cpuTimes() -> CPUTimes? { cpuTimes(in: contents("/proc/stat")) }

    /// The first line: "cpu", then user, nice, system, idle, iowait, irq, softirq, steal, …
    /// (proc(5)); what follows is part of user and nice.
    static func cpuTimes(in stat: String) -> CPUTimes? {
        let words = stat.prefix { $0 != "\n" }.split(separator: " ")
        guard words.first == "cpu", words.count >= 9 else { return nil }
        let ticks = words[1...8].compactMap { UInt64($0) }
        guard ticks.count == 8 else { return nil }
        return CPUTimes(total: ticks.reduce(0, &+), stolen: ticks[7])
    }

    /// Lines are "key<blanks>: value".
    private static func value(of key: String, in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }

    private static func contents(_ path: String) -> String {
        let bytes = (try? SmallFile.read(path, byteCountMax: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A C array of characters, which Swift sees as a tuple.
    private static func text<Tuple>(of characters: Tuple) -> String {
        withUnsafeBytes(of: characters) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
