import Core
import Glibc
import Platform
import Testing

@testable import Router

/// Links that break, acks that are late or wrong, windows that fill.
@Suite struct RoutingWorkerTests {
    /// Three frames out, one hit each, all from one client.
    private func threeFrames(_ rig: Rig, _ worker: TestWorker, _ client: TestClient) {
        for number in 1...3 {
            client.send(get("/p.gif?\(number)"))
            rig.pump { worker.frames.count == number }
        }
    }

    @Test(arguments: [true, false])
    func `a dead worker's unread acks count, and the rest goes to its successor byte for byte`(
        _ successorIsEarly: Bool
    ) throws {
        let rig = try Rig()
        let old = try rig.link()
        let client = try rig.connect()
        threeFrames(rig, old, client)
        let frames = old.frames
        #expect(frames.map(\.header.sequence) == [1, 2, 3])
        // The ack lies in the socket when the worker dies, together with half of another.
        old.ack(frames[0], [.bad])
        old.say(Array(TestWorker.ack(frames[1], [.good]).prefix(20)))
        old.close()
        if !successorIsEarly { rig.pump { client.answers().count == 1 } }
        let new = try rig.link()
        rig.pump { new.frames.count == 2 }
        rig.pump()
        #expect(new.frames == Array(frames[1...]))
        #expect(client.statuses == [400])
        #expect(rig.value(.framesResent) == 2)
        new.ackAll()
        rig.pump { client.statuses == [400, 200, 200] }
        #expect(rig.value(.answersUnclaimed) == 0)
    }

    @Test func `frames that were half written when the worker died come whole to its successor`()
        throws
    {
        let rig = try Rig()
        let old = try rig.link()
        old.reads = false
        let clients = try (0..<4).map { _ in try rig.connect() }
        let agent = "User-Agent: \(String(repeating: "a", count: 15_000))\r\n"
        for (index, client) in clients.enumerated() {
            for number in 0..<20 { client.send(get("/p.gif?\(index)-\(number)", fields: agent)) }
        }
        rig.pump { rig.value(.requests) == 80 }
        check(rig.state.pointee.links[0].isWriting)
        old.close()
        let new = try rig.link()
        rig.pump { new.hitCount == 80 }
        #expect(new.frames.map(\.header.sequence) == (1...UInt64(new.frames.count)).map { $0 })
        let expected = (0..<4).flatMap { index in (0..<20).map { "/p.gif?\(index)-\($0)" } }
        #expect(Set(new.frames.flatMap(\.targets)) == Set(expected))
        new.ackAll()
        rig.pump { clients.allSatisfy { $0.answers().count == 20 } }
    }

    @Test func `acks may come in any pieces`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        threeFrames(rig, worker, client)
        client.send(get() + get() + get())
        rig.pump { worker.hitCount == 6 }
        let acks = worker.frames.flatMap {
            TestWorker.ack($0, .init(repeating: .good, count: Int($0.header.hitCount)))
        }
        for byte in acks {
            worker.say([byte])
            rig.pump(forMs: 1)
        }
        rig.pump { client.answers().count == 6 }
        // The same once more is a repetition: harmless.
        worker.say(acks)
        rig.pump()
        #expect(client.answers().count == 6 && !worker.isEnded)
    }

    @Test func `acks cut in two anywhere are read`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        for cut in 1..<(2 * (FrameHeader.byteCount + 1)) {
            for _ in 0..<2 {
                let had = worker.frames.count
                client.send(get())
                rig.pump { worker.frames.count == had + 1 }
            }
            let acks = worker.frames.flatMap { TestWorker.ack($0, [.good]) }
            worker.forget()
            worker.say(Array(acks[..<cut]))
            rig.pump(forMs: 1)
            worker.say(Array(acks[cut...]))
            rig.pump { client.answers().count == 2 * cut }
        }
        #expect(client.statuses.allSatisfy { $0 == 200 })
    }

    @Test(arguments: ["version", "kind", "count", "sequence", "origin", "cut kind"])
    func `a link that speaks nonsense is cut, the supervisor told, and nothing lost`(
        _ how: String
    ) throws {
        let rig = try Rig(workers: 2)
        var broken: [Int] = []
        rig.state.pointee.didBreakLink = { broken.append($0) }
        let old = try rig.link(1)
        let client = try rig.connect()
        client.send(get("/p.gif?uid=u1") + get("/p.gif?uid=u1"))
        rig.pump { old.hitCount == 2 }
        let frame = old.frames[0]
        var ack = TestWorker.ack(frame, [.good, .good])
        switch how {
        case "version": ack[4] = 9
        case "kind": ack = frame.bytes
        case "count": ack = TestWorker.ack(frame, [.good])
        case "sequence": ack[16] += 1
        case "origin": ack[8] ^= 1
        default:
            old.say([ack[0], ack[1]])
            rig.pump()
            ack = Array(frame.bytes[2...])
        }
        old.say(ack)
        rig.pump { old.isEnded }
        rig.pump { broken == [1] }
        #expect(client.received.isEmpty)
        let new = try rig.link(1)
        rig.pump { new.frames == [frame] }
        new.ackAll()
        rig.pump { client.statuses == [200, 200] }
        #expect(broken == [1])
    }

    @Test func `a worker that only died is the supervisor's own to notice`() throws {
        let rig = try Rig()
        var broken: [Int] = []
        rig.state.pointee.didBreakLink = { broken.append($0) }
        let worker = try rig.link()
        rig.pump()
        worker.close()
        rig.pump { !rig.state.pointee.links[0].isOpen }
        #expect(broken.isEmpty)
    }

    @Test func `a hit that waits too long is answered 503, and its ack then counts as late`() throws
    {
        let rig = try Rig { $0.waitLimitMs = 150 }
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get())
        rig.pump { client.answers().count == 2 }
        #expect(client.statuses == [503, 503])
        #expect(client.answers().allSatisfy { $0.lines.contains("Retry-After: 2") })
        #expect(rig.value(.hitsRefusedLate) == 2)
        client.send(get())
        rig.pump { worker.hitCount == 3 }
        worker.ack(worker.frames[0], [.good, .refused])
        worker.ack(worker.frames[1], [.good])
        rig.pump { client.answers().count == 3 }
        #expect(client.statuses == [503, 503, 200])
        #expect(rig.value(.hitsLate) == 1, "what was refused late is not stored")
        #expect(rig.value(.answersUnclaimed) == 0)
    }

    @Test func `a stopped worker's clients wait, another's do not`() throws {
        let rig = try Rig(workers: 2)
        _ = try rig.link(0)
        let lively = try rig.link(1)
        let stuck = try rig.connect()
        let other = try rig.connect()
        stuck.send(get("/p.gif?uid=a%20b"))
        other.send(get("/p.gif?uid=u1"))
        rig.pump {
            lively.ackAll()
            return other.statuses == [200]
        }
        #expect(stuck.received.isEmpty)
    }

    @Test func `a full window answers 503 at once, and takes hits again when it has room`() throws {
        let rig = try Rig(workers: 64)  // 512 KiB each
        let client = try rig.connect()
        let agent = "User-Agent: \(String(repeating: "a", count: 15_000))\r\n"
        for _ in 0..<50 { client.send(get("/p.gif?uid=u1", fields: agent)) }
        rig.pump { rig.value(.requests) == 50 }
        let refused = rig.value(.hitsRefusedWindow)
        #expect(refused >= 15 && refused <= 30)
        let shard = jumpHash(0x9dc0_2546_854d_5df1, buckets: 64)  // of u1
        let worker = try rig.link(shard)
        rig.pump { worker.hitCount == 50 - Int(refused) }
        worker.ackAll()
        rig.pump { client.answers().count == 50 }
        #expect(client.statuses.filter { $0 == 503 }.count == Int(refused))
        client.send(get("/p.gif?uid=u1"))
        rig.pump {
            worker.ackAll()
            return client.answers().count == 51
        }
        #expect(client.statuses.last == 200)
    }

    @Test func `a frame that fills the window is sent though the hit after it is refused`() throws {
        let rig = try Rig(workers: 256)  // 128 KiB each: two frames
        let shard = jumpHash(0x9dc0_2546_854d_5df1, buckets: 256)
        let worker = try rig.link(shard)
        let clients = try (0..<3).map { _ in try rig.connect() }
        rig.pump { rig.value(.connectionsOpen) == 3 }
        let hit = get(
            "/p.gif?uid=u1", fields: "User-Agent: \(String(repeating: "a", count: 14_900))\r\n")
        let four = hit + hit + hit + hit
        clients[0].send(four)
        rig.pump { worker.hitCount == 4 }
        // Ready in this order within one turn: 60 KB more, the ack of the first frame, one more.
        clients[1].send(four)
        worker.ackAll()
        clients[2].send(hit)
        rig.loop.runNoWait()
        rig.pump { worker.hitCount >= 4 }
        rig.pump {
            worker.ackAll()
            return clients.allSatisfy { !$0.received.isEmpty }
        }
        #expect(clients[1].statuses == [200, 200, 200, 200])
        #expect(clients[2].statuses == [503] || clients[2].statuses == [200])
    }

    @Test func `hits taken when time answers older ones leave at once`() throws {
        let rig = try Rig { $0.waitLimitMs = 400 }
        let worker = try rig.link()
        let client = try rig.connect()
        client.send((0..<70).map { get("/p.gif?\($0)") }.joined())
        rig.pump { worker.hitCount == 64 }
        usleep(500_000)
        rig.loop.updateTime()
        rig.routing.tick()
        worker.move()
        #expect(worker.hitCount == 70, "without another turn of the loop")
        rig.pump { client.answers().count >= 64 }
        #expect(client.statuses.prefix(64).allSatisfy { $0 == 503 })
    }
}
