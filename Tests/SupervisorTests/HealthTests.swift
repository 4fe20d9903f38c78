import Core
import Foundation
import Testing

@testable import Supervisor

@Suite struct ProgressWatchTests {
    private var watch = ProgressWatch()

    private mutating func look(
        _ nowMs: UInt64, waiting: UInt64 = 0, passed: UInt64 = 0, fails: Bool = false,
        full: UInt64 = 0, failure: UInt64 = 0
    ) {
        watch.look(
            .init(
                goodWaiting: waiting, goodPassed: passed, badWaiting: 0, badPassed: 0,
                goodFails: fails, refusedFull: full, refusedFailure: failure), nowMs: nowMs)
    }

    @Test mutating func `a backlog that nothing leaves stands, one that moves does not`() {
        look(1000, waiting: 5)
        #expect(watch.standsMs(good: true, nowMs: 1000) == 0)
        look(2000, waiting: 9)
        #expect(watch.standsMs(good: true, nowMs: 2000) == 1000)
        #expect(watch.standsMs(good: false, nowMs: 2000) == 0)
        look(3000, waiting: 8, passed: 1)
        #expect(watch.standsMs(good: true, nowMs: 3500) == 500)
        look(4000, waiting: 0, passed: 9)
        #expect(watch.standsMs(good: true, nowMs: 9000) == 0)
        // What comes after a rest has not waited during it.
        look(9000, waiting: 1, passed: 9)
        #expect(watch.standsMs(good: true, nowMs: 9000) == 0)
    }

    @Test mutating func `calls that fail count from the first look on, until one gets through`() {
        look(1000)
        #expect(watch.failsMs(good: true, nowMs: 1000) == 0)
        look(1250, waiting: 5, fails: true)
        look(1500, waiting: 7, fails: true)
        #expect(watch.failsMs(good: true, nowMs: 4250) == 3000)
        #expect(watch.failsMs(good: false, nowMs: 4250) == 0)
        look(4500, waiting: 1, passed: 6)
        #expect(watch.failsMs(good: true, nowMs: 4500) == 0)
        look(4750, waiting: 1, passed: 6, fails: true)
        #expect(watch.failsMs(good: true, nowMs: 5000) == 250)
    }

    @Test mutating func `refusals count for a while, those from before the first look never`() {
        look(1000, full: 7, failure: 3)
        #expect(!watch.refusesFull(nowMs: 1000) && !watch.refusesFailure(nowMs: 1000))
        look(1250, full: 8, failure: 3)
        #expect(watch.refusesFull(nowMs: 1250) && !watch.refusesFailure(nowMs: 1250))
        look(1500, full: 8, failure: 4)
        #expect(watch.refusesFull(nowMs: 6249) && watch.refusesFailure(nowMs: 6250))
        #expect(!watch.refusesFull(nowMs: 6250) && !watch.refusesFailure(nowMs: 6500))
    }
}

@Suite struct ReadinessTests {
    private func readiness(
        _ state: String = "running", _ processes: [Readiness.Process] = [],
        _ shards: [Readiness.Shard] = []
    ) -> Readiness {
        Readiness(state: state, processes: processes, shards: shards, standsMaxMs: 60_000)
    }

    private func process(
        _ name: String, _ word: String, restartsInMs: UInt64? = nil, takesHits: Bool = true
    ) -> Readiness.Process {
        .init(name: name, word: word, restartsInMs: restartsInMs, takesHits: takesHits)
    }

    @Test func `when all are at work it is ready`() {
        let now = readiness(
            "running", [process("worker 0", "ready")],
            [
                .init(
                    number: 0, isFull: false, diskFails: false,
                    good: .init(standsMs: 59_999, failsMs: 1999))
            ])
        #expect(now.isReady(strict: false) && now.isReady(strict: true))
        #expect(
            now.json(strict: false)
                == #"{"ready":true,"state":"running","reasons":[],"warnings":[]}"# + "\n")
    }

    @Test func `every reason is told, in words and with its code`() {
        let now = readiness(
            "degraded",
            [
                process("worker 0", "down", restartsInMs: 3250), process("worker 1", "abandoned"),
                process("router 0", "ready"),
            ],
            [
                .init(number: 0, isFull: true, diskFails: false),
                .init(number: 1, isFull: false, diskFails: true),
            ])
        #expect(!now.isReady(strict: false))
        #expect(
            now.reasons.map(\.text) == [
                "worker 0 is down, restarts in 3.2 s", "worker 1 is abandoned",
                "shard 0: its spool is full", "shard 1: its spool cannot be written",
            ])
        #expect(now.reasons.map(\.code) == ["process", "process", "spool_full", "disk"])
        #expect(now.warnings == [])
    }

    @Test func `a worker that stands still is a reason, and its shard is named`() {
        var worker = process("worker 1", "ready")
        (worker.shard, worker.stillMs) = (1, 6250)
        let now = readiness("running", [process("worker 0", "ready"), worker])
        #expect(!now.isReady(strict: false))
        #expect(
            now.reasons == [
                .init(
                    code: "still",
                    text: "worker 1 has stood still for 6.2 s: hits of shard 1 wait")
            ])
        var local = process("local-firehose 0", "ready", takesHits: false)
        local.stillMs = 21_000
        #expect(readiness("running", [local]).reasons == [])
        #expect(
            readiness("running", [local]).warnings.map(\.text) == [
                "local-firehose 0 has stood still for 21.0 s"
            ])
    }

    @Test func `calls that fail are a warning at once, with the stream and what it said`() {
        let error = "stream hydrant-0: connection refused; tried again by itself"
        let now = readiness(
            "running", [],
            [
                .init(
                    number: 0, isFull: false, diskFails: false,
                    good: .init(standsMs: 9000, failsMs: 2000, error: error))
            ])
        #expect(now.isReady(strict: false) && !now.isReady(strict: true))
        #expect(
            now.warnings == [
                .init(
                    code: "delivery",
                    text: "shard 0 good lane: calls have failed for 2.0 s: \(error)")
            ])
    }

    @Test func `starting and stopping are reasons by themselves`() {
        #expect(readiness("starting", [process("worker 0", "starting")]).reasons.count == 2)
        // That its processes leave is no further news.
        let leaving = readiness("stopping", [process("router 0", "draining")])
        #expect(leaving.reasons == [.init(code: "stopping", text: "the cluster is stopping")])
    }

    @Test func `rows that wait and a missing local firehose are warnings, unless it is strict`() {
        let now = readiness(
            "degraded", [process("local-firehose 0", "down", takesHits: false)],
            [
                .init(
                    number: 2, isFull: false, diskFails: false,
                    good: .init(standsMs: 60_000, error: "503 \u{1B}[2J"),
                    bad: .init(standsMs: 99_000))
            ])
        #expect(now.isReady(strict: false) && !now.isReady(strict: true))
        #expect(
            now.warnings.map(\.text) == [
                "local-firehose 0 is down",
                "shard 2 good lane: nothing delivered for 60.0 s: 503 ?[2J",
                "shard 2 bad lane: nothing delivered for 99.0 s",
            ])
        #expect(
            now.json(strict: false).hasPrefix(#"{"ready":true,"state":"degraded","reasons":[]"#))
        #expect(now.json(strict: true).hasPrefix(#"{"ready":false,"#))
        #expect(now.json(strict: true).hasSuffix("\"warnings\":[]}\n"))
    }
}

@Suite struct AdminAnswerTests {
    private let ready = Readiness(state: "running", processes: [], shards: [], standsMaxMs: 1)
    private let starting = Readiness(state: "starting", processes: [], shards: [], standsMaxMs: 1)

    private func answer(_ request: String, _ readiness: Readiness? = nil) -> String? {
        answer(Array(request.utf8), readiness)
    }

    private func answer(_ request: [UInt8], _ readiness: Readiness? = nil) -> String? {
        request.withUnsafeBytes {
            AdminAnswer.answer($0, unixSeconds: 784_111_777, readiness: { readiness ?? ready })
        }.map { String(decoding: $0, as: UTF8.self) }
    }

    private func get(_ target: String, _ readiness: Readiness? = nil) -> String {
        answer("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n", readiness) ?? "nothing"
    }

    @Test func `it lives`() {
        #expect(
            get("/healthz")
                == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
                + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                + "Connection: close\r\n\r\nok\n")
        #expect(get("/healthz", starting).hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `readiness is a status and JSON`() {
        #expect(get("/readyz").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(get("/readyz").contains("\r\nContent-Type: application/json\r\n"))
        #expect(get("/readyz").hasSuffix("\r\n\r\n" + ready.json(strict: false)))
        #expect(get("/readyz", starting).hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(get("/readyz", starting).hasSuffix("\r\n\r\n" + starting.json(strict: false)))
    }

    @Test func `strict counts warnings`() {
        let warned = Readiness(
            state: "degraded",
            processes: [
                .init(name: "local-firehose 0", word: "down", restartsInMs: nil, takesHits: false)
            ], shards: [], standsMaxMs: 1)
        #expect(get("/readyz", warned).hasPrefix("HTTP/1.1 200 "))
        for target in ["/readyz?strict", "/readyz?a=b&strict"] {
            #expect(get(target, warned).hasPrefix("HTTP/1.1 503 "))
        }
        for target in ["/readyz?", "/readyz?strictly", "/readyz?x=strict"] {
            #expect(get(target, warned).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `HEAD is GET without the body`() {
        let head = answer("HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n") ?? ""
        #expect(get("/readyz") == head + ready.json(strict: false))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /p.gif HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 405),
        ("DELETE /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET /healthz\r\n\r\n", 400), ("\u{16}\u{03}\u{01}", 400),
        ("GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        ("POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    ])
    func `anything else is refused by its status`(request: String, status: Int) throws {
        let text = try #require(answer(request))
        #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
        #expect(text.contains("\r\nConnection: close\r\n\r\n"))
        if status == 405 { #expect(text.contains("\r\nAllow: GET, HEAD\r\n")) }
    }

    @Test func `cut at every byte it waits for the rest, up to a limit`() {
        let request = "GET /readyz HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
        for count in 1..<request.utf8.count {
            #expect(answer(Array(request.utf8.prefix(count))) == nil, "\(count)")
        }
        #expect(answer(request) != nil)
        let endless = "GET /healthz HTTP/1.1\r\nHost: x\r\nA: "
        let room = AdminAnswer.headBytesMax - endless.utf8.count
        #expect(answer(endless + String(repeating: "a", count: room - 1)) == nil)
        let full = answer(endless + String(repeating: "a", count: room)) ?? ""
        #expect(full.hasPrefix("HTTP/1.1 431 "))
    }
}

@Suite struct DeathHintTests {
    @Test func `an OOM kill is told with the cap, any other SIGKILL with what it may be`() {
        #expect(
            DeathHints.killHint(before: 3, now: 4, limit: "536870912")
                == "out of memory: the kernel's OOM killer struck; this cgroup's memory.max is "
                + "536870912")
        #expect(
            DeathHints.killHint(before: 3, now: 4, limit: nil).hasSuffix("no cgroup limits it"))
        for (before, now) in [(UInt64?(3), UInt64?(3)), (nil, 4), (3, nil), (nil, nil)] {
            #expect(
                DeathHints.killHint(before: before, now: now, limit: "1")
                    .hasPrefix("not by the supervisor"))
        }
    }

    @Test func `the kernel's tables are read`() {
        #expect(DeathHints.memoryVictims(vmstat: "pgfault 9\noom_kill 12\nx 1\n") == 12)
        #expect(DeathHints.memoryVictims(vmstat: "oom_killer 12\n") == nil)
        #expect(DeathHints.memoryVictims(vmstat: "oom_kill many") == nil)
        #expect(DeathHints.group(cgroup: "1:name=x:/a\n0::/system.slice/h\n") == "/system.slice/h")
        #expect(DeathHints.group(cgroup: "4:memory:/docker\n") == nil)
    }

    @Test func `where a core is, or why there is none`() {
        #expect(
            DeathHints.coreHint(pattern: "|/usr/lib/systemd-coredump %P", isAllowed: false)
                == "its core went to /usr/lib/systemd-coredump")
        #expect(
            DeathHints.coreHint(pattern: "core.%p", isAllowed: true) == "its core is in core.%p")
        #expect(
            DeathHints.coreHint(pattern: "core", isAllowed: false) == "no core: ulimit -c is 0")
        #expect(DeathHints.coreHint(pattern: nil, isAllowed: true) == nil)
    }

    @Test func `only signals that dump a core have such a hint`() {
        var hints = DeathHints()
        #expect(hints.hint(signal: 15) == nil && hints.hint(signal: 13) == nil)
        #expect(hints.hint(signal: 9)?.isEmpty == false)
    }
}
