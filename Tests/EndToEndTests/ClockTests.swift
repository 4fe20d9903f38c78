import Foundation
import Testing

extension EndToEnd {
    /// The wall clock of every process of a cluster jumps: a library put before libc adds to it.
    @Suite struct ClockTests {
        /// Adds the seconds in the first eight bytes of a file to the time of day. Timers use the
        /// monotonic clock, which no administrator can set.
        private static let shifter = """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <stdint.h>
            #include <stdlib.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <time.h>
            #include <unistd.h>
            static volatile int64_t *shift;
            __attribute__((constructor)) static void begin(void) {
                int fd = open(getenv("CLOCK_SHIFT"), O_RDONLY);
                if (fd < 0) return;
                void *page = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
                if (page != MAP_FAILED) shift = page;
                close(fd);
            }
            int clock_gettime(clockid_t clock, struct timespec *now) {
                int failed = (int)syscall(SYS_clock_gettime, clock, now);
                if (!failed && shift && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                    now->tv_sec += *shift;
                return failed;
            }
            """

        @Test func `the clock jumps by hours, days and decades: no hit waits, none is lost`() throws
        {
            let library = try PreloadedLibrary(Self.shifter)
            let shift = URL(fileURLWithPath: library.path + "/shift")
            try Data(count: 4096).write(to: shift)
            func set(_ seconds: Int64) throws {
                let file = try FileHandle(forUpdating: shift)
                try file.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
                try file.close()
            }

            let cluster = try Cluster(
                settings: ["workers=2"],
                environment: library.environment(["CLOCK_SHIFT": shift.path]))
            let before = try cluster.status().processes.map(\.pid)
            let now = Int64(Date().timeIntervalSince1970)
            let jumps: [Int64] = [
                0, 3600, -3600, 86_400, -86_400, 60 - now, (1 << 31) + 5 - now, 0,
            ]
            var years: Set<String> = []
            for (round, seconds) in jumps.enumerated() {
                try set(seconds)
                #expect(try sendEach(20, "jump\(round)", to: cluster) == 20)
                try cluster.flush(timeoutSeconds: 20)
                let times = try cluster.query(
                    "select received_at from events where campaign like 'jump\(round)-%'")
                #expect(times.count == 20)
                years.formUnion(
                    times.compactMap { ($0["received_at"] as? String)?.prefix(4) }.map(String.init))
            }
            #expect(years.isSuperset(of: ["1970", "2038"]), "\(years): the clock did jump")
            let status = try cluster.status()
            #expect(status.processes.map(\.pid) == before, "\(cluster.logText)")
            #expect(status.ledger.closes && status.ledger.accepted == 20 * jumps.count)
            #expect(
                try cluster.count("select count(distinct id) from events") == 20 * jumps.count)
        }
    }
}
