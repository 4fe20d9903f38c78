import Glibc
import Testing

@testable import Platform

@Suite struct LoopTests {
    private final class Log {
        var words: [String] = []
        var raw: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

        static func at(_ raw: UnsafeMutableRawPointer) -> Log {
            Unmanaged<Log>.fromOpaque(raw).takeUnretainedValue()
        }
    }

    private let loop: Loop
    private let log = Log()

    init() throws { loop = try Loop.make() }

    @Test func `a timer fires once, or again and again, and not after it was stopped`() {
        let once = Timer(in: loop, owner: log.raw, fire: { Log.at($0).words.append("once") })
        let often = Timer(in: loop, owner: log.raw, fire: { Log.at($0).words.append("often") })
        once.start(afterMs: 1)
        often.start(afterMs: 2, repeatMs: 2)
        while log.words.filter({ $0 == "often" }).count < 5 { loop.runOnce() }
        #expect(log.words.filter { $0 == "once" }.count == 1)
        #expect(!once.isActive && often.isActive)
        often.stop()
        #expect(!often.isActive)
        once.close()
        often.close()
        often.close()
        loop.run()  // ends because nothing is left
        #expect(log.words.filter { $0 == "often" }.count == 5)
    }

    @Test func `the turn's end comes after its reads and before its sleep`() throws {
        let (mine, other) = try socketPair(packets: true)
        let end = TurnEnd(in: loop, owner: log.raw, fire: { Log.at($0).words.append("end") })
        let watch = try ReadableWatch(
            descriptor: mine, in: loop, owner: log.raw,
            readable: { Log.at($0).words.append("read") })
        write(other, "x", 1)
        loop.runOnce()
        #expect(log.words == ["read", "end"])
        watch.close()
        end.close()
        loop.run()
        close(mine)
        close(other)
    }

    @Test func `while idle work is wanted the loop does not sleep`() {
        let idle = Idle(in: loop, owner: log.raw, fire: { Log.at($0).words.append("slice") })
        let far = Timer(in: loop, owner: log.raw, fire: { _ in })
        far.start(afterMs: 60_000)
        idle.start()
        while log.words.count < 100 { loop.runOnce() }
        idle.stop()
        loop.runNoWait()
        #expect(log.words.count == 100)
        idle.close()
        far.close()
        loop.run()
    }

    @Test func `paced work longer than a turn is done once in each`() {
        let work = PacedWork(in: loop, owner: log.raw) { owner in
            Log.at(owner).words.append("slice")
            usleep(3000)
        }
        work.start()
        work.start()
        for turn in 1...5 {
            loop.runOnce()  // without any event it wakes by itself
            #expect(log.words.count == turn)
        }
        work.stop()
        loop.runNoWait()
        #expect(log.words.count == 5)
        work.close()
        work.close()
        loop.run()  // ends because nothing is left
    }

    @Test func `paced work may end itself in a slice`() {
        final class Worker {
            var slices = 0
            var work: PacedWork?
        }
        let worker = Worker()
        let owner = Unmanaged.passUnretained(worker).toOpaque()
        worker.work = PacedWork(in: loop, owner: owner) { owner in
            let worker = Unmanaged<Worker>.fromOpaque(owner).takeUnretainedValue()
            worker.slices += 1
            if worker.slices == 100 { worker.work?.close() }
        }
        worker.work?.start()
        loop.run()
        #expect(worker.slices == 100)
    }

    @Test func `a signal is told in the loop`() {
        let watch = SignalWatch(
            SIGWINCH, in: loop, owner: log.raw, fire: { Log.at($0).words.append("\($1)") })
        kill(getpid(), SIGWINCH)
        while log.words.isEmpty { loop.runOnce() }
        #expect(log.words == ["\(SIGWINCH)"])
        watch.close()
        loop.run()
    }

    @Test func `the clocks go forward, and randomness differs`() {
        let (wall, steady) = (realtimeMicroseconds(), monotonicNanoseconds())
        #expect(wall > 1_700_000_000_000_000)
        usleep(1000)
        #expect(monotonicNanoseconds() - steady >= 1_000_000)
        let before = loop.nowMs
        usleep(20_000)
        #expect(loop.nowMs == before, "the loop's clock is read once a turn")
        loop.updateTime()
        #expect(loop.nowMs > before)
        #expect(Set((0..<100).map { _ in randomUInt64() }).count == 100)
    }
}
