import CLinux
import Glibc

/// For processes that work by batches: woken, they wait for their turn instead of preempting
/// whoever runs, and so find more to do at once. Where the kernel refuses, nothing is lost.
public func scheduleAsBatch() { _ = clinux_schedule_batch() }

/// For a process that must not cost the others anything: it has the CPU when nobody else wants it
/// and loses it to whoever wakes. The nice value counts among its like, or if the kernel refuses.
public func scheduleWhenIdle() {
    _ = clinux_renice(19)
    _ = clinux_schedule_idle()
}

/// CPUs, by the kernel's numbers.
public struct CPUSet: Equatable, Sendable {
    fileprivate var words: [UInt64]

    private init(_ cpus: clinux_cpus) {
        words = withUnsafeBytes(of: cpus) { Array($0.bindMemory(to: UInt64.self)) }
    }

    /// Nil when there is no room for that number.
    public init?(only cpu: Int) {
        guard (0..<Int(CLINUX_CPUS_MAX)).contains(cpu) else { return nil }
        self.init(clinux_cpus())
        words[cpu / 64] |= 1 << UInt64(cpu % 64)
    }

    /// Where this process may run, and with it whatever it starts. Nil on machines with more than
    /// 1,024 CPUs.
    public static func allowed() -> CPUSet? {
        var cpus = clinux_cpus()
        return clinux_allowed_cpus(&cpus) < 0 ? nil : CPUSet(cpus)
    }

    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    public func contains(_ cpu: Int) -> Bool {
        (0..<Int(CLINUX_CPUS_MAX)).contains(cpu) && words[cpu / 64] >> UInt64(cpu % 64) & 1 == 1
    }
}

/// Lets a process, with every thread it has now, run on these CPUs only.
public func place(pid: Int32, on cpus: CPUSet) throws(Failure) {
    var raw = clinux_cpus()
    withUnsafeMutableBytes(of: &raw) { $0.copyBytes(from: cpus.words.withUnsafeBytes(Array.init)) }
    try system("sched_setaffinity", clinux_place(pid, &raw))
}

/// What a process's first thread has had of the CPUs since it began.
public struct SchedulerTimes: Equatable, Sendable {
    /// It ran.
    public let ranNanoseconds: UInt64
    /// It could have run, and another did.
    public let waitedNanoseconds: UInt64

    /// From `/proc/PID/schedstat` (proc(5), sched-stats): time run, time waited, turns. Nil when
    /// the process has ended.
    public init?(of pid: Int32) {
        guard let text = try? SmallFile.read("/proc/\(pid)/schedstat") else { return nil }
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count >= 2, let ran = UInt64(String(decoding: words[0], as: UTF8.self)),
            let waited = UInt64(String(decoding: words[1], as: UTF8.self))
        else { return nil }
        (ranNanoseconds, waitedNanoseconds) = (ran, waited)
    }
}

/// The CPU on which a process ran last: field 39 of `/proc/PID/stat` (proc(5)).
public func lastCPU(of pid: Int32) -> Int? {
    guard let text = try? SmallFile.read("/proc/\(pid)/stat") else { return nil }
    // The name, in parentheses, may hold anything; the state behind it is field 3.
    guard let nameEnd = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[(nameEnd + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 36 else { return nil }
    return Int(String(decoding: fields[36], as: UTF8.self))
}
