import Glibc
import Testing

@testable import Platform

@Suite struct ThreadsTests {
    /// What a thread found out about itself.
    private final class Report {
        var name = ""
        var blocked = sigset_t()
        var cpuNanoseconds: (before: UInt64, after: UInt64) = (0, 0)
        var fired = 0
        var failure: (any Error)?

        var raw: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

        static func at(_ raw: UnsafeMutableRawPointer) -> Report {
            Unmanaged<Report>.fromOpaque(raw).takeUnretainedValue()
        }
    }

    private func ownThreadName() throws -> String {
        let bytes = try SmallFile.read("/proc/thread-self/comm")
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    @Test func `a thread has its name, calls its owner and is waited for`() throws {
        let report = Report()
        let thread = try startThread(
            name: "generator 1", owner: report.raw,
            body: {
                let comm = (try? SmallFile.read("/proc/thread-self/comm")) ?? []
                Report.at($0).name = String(decoding: comm.dropLast(), as: UTF8.self)
            })
        thread.join()
        #expect(report.name == "generator 1")
        #expect(try ownThreadName() != "generator 1")
    }

    @Test func `a name that is too long is cut`() throws {
        let report = Report()
        try startThread(
            name: "a name of more than fifteen bytes", owner: report.raw,
            body: {
                let comm = (try? SmallFile.read("/proc/thread-self/comm")) ?? []
                Report.at($0).name = String(decoding: comm.dropLast(), as: UTF8.self)
            }
        ).join()
        #expect(report.name == "a name of more ")
    }

    @Test func `a thread takes no signals but its own faults; who starts it keeps its own mask`()
        throws
    {
        var (own, before, after) = (sigset_t(), sigset_t(), sigset_t())
        sigemptyset(&own)
        sigaddset(&own, SIGBUS)
        pthread_sigmask(SIG_SETMASK, &own, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let report = Report()
        try startThread(
            name: "signals", owner: report.raw,
            body: { pthread_sigmask(SIG_BLOCK, nil, &Report.at($0).blocked) }
        ).join()
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH] {
            #expect(sigismember(&report.blocked, signal) == 1)
        }
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] {
            #expect(sigismember(&report.blocked, signal) == 0)
        }
        pthread_sigmask(SIG_BLOCK, nil, &after)
        #expect(sigismember(&after, SIGBUS) == 1 && sigismember(&after, SIGTERM) == 0)
    }

    @Test func `CPU time is the thread's own, and sleep is none`() throws {
        let report = Report()
        try startThread(
            name: "cpu", owner: report.raw,
            body: {
                let before = threadCPUNanoseconds()
                usleep(50_000)
                Report.at($0).cpuNanoseconds = (before, threadCPUNanoseconds())
            }
        ).join()
        let (before, after) = report.cpuNanoseconds
        #expect(before <= after)
        #expect(after - before < 25_000_000)
        let mine = threadCPUNanoseconds()
        while threadCPUNanoseconds() - mine < 2_000_000 {}
    }

    @Test func `each thread has a loop of its own`() throws {
        let reports = (0..<4).map { _ in Report() }
        let threads = try reports.map {
            try startThread(
                name: "loop", owner: $0.raw,
                body: {
                    let report = Report.at($0)
                    do {
                        let loop = try Loop.make()
                        let timer = try PreciseTimer(
                            in: loop, owner: $0, fire: { Report.at($0).fired += 1 })
                        for turn in 1...100 {
                            timer.arm(atNanoseconds: monotonicNanoseconds() + 10_000)
                            while report.fired < turn { loop.runOnce() }
                        }
                        timer.close()
                        loop.run()
                        try loop.close()
                    } catch {
                        report.failure = error
                    }
                })
        }
        threads.forEach { $0.join() }
        for report in reports {
            #expect(report.failure == nil && report.fired == 100)
        }
    }

    @Test func `a stack that is too small is refused`() {
        let report = Report()
        let failure = #expect(throws: Failure.self) {
            try startThread(name: "tiny", stackBytes: 100, owner: report.raw, body: { _ in })
        }
        #expect(failure?.description == "pthread_attr_setstacksize: Invalid argument")
    }
}
