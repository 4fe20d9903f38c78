import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Which CPUs the processes of a cluster run on.
    @Suite struct CoresTests {
        private func line(_ name: String, of pid: Int32) throws -> String {
            let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + ":") })
            return line.dropFirst(name.count + 1).filter { !$0.isWhitespace }
        }

        private func cpus(of pid: Int32) throws -> String {
            try line("Cpus_allowed_list", of: pid)
        }

        /// Field 41 of /proc/PID/stat, as sched(7) numbers policies.
        private func policy(of pid: Int32) throws -> String {
            let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let behindName = text[text.lastIndex(of: ")")!...].split(separator: " ")
            return String(behindName[41 - 2])
        }

        @Test func `idle routers and workers share a CPU; the local Firehose stays out of it`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=2", "local.priority=idle"])
            let all = try cpus(of: cluster.pid)
            if try run("nproc").stdout == "1\n" {
                usleep(3_000_000)
                #expect(try cluster.status().sharedCPU == nil)
                return
            }
            #expect(try eventually(within: 10) { try cluster.status().sharedCPU != nil })
            let status = try cluster.status()
            let cpu = try #require(status.sharedCPU)
            for process in status.processes {
                let isOurs = process.role != "local-firehose"
                #expect(try cpus(of: process.pid) == (isOurs ? "\(cpu)" : all), "\(process)")
                #expect(try policy(of: process.pid) == (isOurs ? "3" : "5"), "\(process)")
            }
            let table = try cluster.hydrant("status")
            #expect(table.stdout.contains("routers and workers share CPU \(cpu)\n"))

            // A process that takes a dead one's place goes there as well.
            let victim = try #require(status.pids(of: "worker").first)
            kill(victim, SIGKILL)
            let isThere = try eventually(within: 10) {
                let now = try cluster.status()
                guard now.allReady, !now.pids(of: "worker").contains(victim) else { return false }
                return try now.pids(of: "worker").allSatisfy { try cpus(of: $0) == "\(cpu)" }
            }
            #expect(isThere)
        }

        /// Whoever works on their CPU takes it from them, however fast the machine is.
        @Test func `a busy stranger on their CPU takes them apart`() throws {
            let cluster = try Cluster(settings: ["workers=2", "local.sink=discard"])
            let mayShare = try run("nproc").stdout != "1\n"
            let shares = try eventually(within: mayShare ? 10 : 3) {
                try cluster.status().sharedCPU != nil
            }
            #expect(shares == mayShare)
            let cpu = try cluster.status().sharedCPU ?? 0
            let stranger = try SpawnedProcess(
                "taskset", ["-c", "\(cpu)", "sh", "-c", "while :; do :; done"])
            let load = try SpawnedProcess(
                "wrk", ["-t1", "-c64", "-d6s", cluster.pixel + "?event=a"])
            var wasSpread = false
            while load.isRunning {
                wasSpread = try wasSpread || cluster.status().sharedCPU == nil
                usleep(50_000)
            }
            stranger.endNow()
            #expect(wasSpread)
            #expect(load.exitStatus == 0)
        }

        @Test func `told to spread, they stay where the kernel puts them`() throws {
            let cluster = try Cluster(settings: ["cores=spread"])
            let all = try cpus(of: cluster.pid)
            usleep(3_000_000)
            let status = try cluster.status()
            #expect(status.sharedCPU == nil)
            #expect(try status.processes.allSatisfy { try cpus(of: $0.pid) == all })
        }
    }
}
