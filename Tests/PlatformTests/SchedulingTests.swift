import Foundation
import TestSupport
import Testing

@testable import Platform

@Suite struct SchedulingTests {
    private func field(_ name: String, of pid: Int32) throws -> String {
        let text = String(decoding: try SmallFile.read("/proc/\(pid)/status"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + ":") })
        return line.dropFirst(name.count + 1).filter { !$0.isWhitespace }
    }

    private func threads(of pid: Int32) -> [Int32] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        return (names ?? []).compactMap { Int32($0) }
    }

    @Test func `this process may run where the kernel says`() throws {
        let allowed = try #require(CPUSet.allowed())
        #expect(allowed.count >= 1)
        let cpu = try #require(lastCPU(of: getpid()))
        #expect(allowed.contains(cpu))
        #expect(!allowed.contains(-1) && !allowed.contains(1024))
    }

    @Test func `a process is put on one CPU and let go again`() throws {
        let allowed = try #require(CPUSet.allowed())
        let cpu = try #require((0..<1024).last { allowed.contains($0) })
        let sleeper = try SpawnedProcess("sleep", ["60"])
        let list = try field("Cpus_allowed_list", of: sleeper.pid)
        try place(pid: sleeper.pid, on: try #require(CPUSet(only: cpu)))
        #expect(try field("Cpus_allowed_list", of: sleeper.pid) == "\(cpu)")
        try place(pid: sleeper.pid, on: allowed)
        #expect(try field("Cpus_allowed_list", of: sleeper.pid) == list)
    }

    @Test func `every thread is put there`() throws {
        let allowed = try #require(CPUSet.allowed())
        let cpu = try #require((0..<1024).first { allowed.contains($0) })
        let script = """
            import threading, time
            for _ in range(3): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            time.sleep(60)
            """
        let python = try SpawnedProcess("python3", ["-c", script])
        #expect(eventually(within: 10) { threads(of: python.pid).count == 4 })
        try place(pid: python.pid, on: try #require(CPUSet(only: cpu)))
        for thread in threads(of: python.pid) {
            #expect(try field("Cpus_allowed_list", of: thread) == "\(cpu)")
        }
    }

    @Test func `a process that is gone cannot be put anywhere`() throws {
        let gone = try SpawnedProcess("true")
        #expect(gone.waitUntilExit(withinSeconds: 10))
        #expect(throws: Failure.self) {
            try place(pid: gone.pid, on: try #require(CPUSet.allowed()))
        }
        #expect(SchedulerTimes(of: gone.pid) == nil)
        #expect(lastCPU(of: gone.pid) == nil)
    }

    @Test func `what a process ran is counted`() throws {
        let busy = try SpawnedProcess("sh", ["-c", "while :; do :; done"])
        let first = try #require(SchedulerTimes(of: busy.pid))
        #expect(
            eventually(within: 20) {
                (SchedulerTimes(of: busy.pid)?.ranNanoseconds ?? 0)
                    > first.ranNanoseconds + 20_000_000
            })
    }
}
