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
