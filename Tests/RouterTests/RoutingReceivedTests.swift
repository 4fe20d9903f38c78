import Core
import Platform
import Testing

@testable import Router

/// `ack = "received"`: answers from memory.
@Suite struct RoutingReceivedTests {
    private func rig(workers: Int = 1, waitLimitMs: UInt64 = 2000) throws -> Rig {
        try Rig(workers: workers) {
            $0.ack = .received
            $0.waitLimitMs = waitLimitMs
        }
    }

    @Test func `a hit is answered at once, and its ack only frees the window`() throws {
        let rig = try rig()
        let client = try rig.connect()
        client.send(get("/p.gif?1") + get("/p.gif?2") + get("/nothing"))
        rig.pump { client.statuses == [200, 200, 404] }
        let worker = try rig.link()
        rig.pump { worker.hitCount == 2 }
        worker.ack(worker.frames[0], [.good, .bad])
        rig.pump { rig.state.pointee.windows[0].isEmpty }
        rig.pump()
        #expect(client.answers().count == 3)
        #expect(rig.value(.answersUnclaimed) == 0 && rig.value(.hitsAnsweredUnstored) == 0)
    }

    @Test func `a dead worker's hits go to its successor, whatever their clients were told`() throws
    {
        let rig = try rig()
        let old = try rig.link()
        let client = try rig.connect()
        client.send(get())
        rig.pump { old.hitCount == 1 && client.statuses == [200] }
        old.close()
        let new = try rig.link()
        rig.pump { new.frames == old.frames }
    }

    @Test func `time refuses nothing that was answered`() throws {
        let rig = try rig(waitLimitMs: 100)
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get())
        rig.pump { worker.hitCount == 1 }
        rig.pump(forMs: 350)
        #expect(client.statuses == [200])
        worker.ackAll()
        rig.pump { rig.state.pointee.windows[0].isEmpty }
        #expect(rig.value(.hitsRefusedLate) == 0 && rig.value(.hitsLate) == 0)
    }

    @Test func `a full window is still 503`() throws {
        let rig = try rig(workers: 256)
        let client = try rig.connect()
        let agent = "User-Agent: \(String(repeating: "a", count: 15_000))\r\n"
        for _ in 0..<20 { client.send(get("/p.gif?uid=u1", fields: agent)) }
        rig.pump { client.answers().count == 20 }
        let refused = client.statuses.filter { $0 == 503 }.count
        #expect(refused >= 8 && refused == Int(rig.value(.hitsRefusedWindow)))
        let last = try #require(client.answers().last)
        #expect(last.status == 503 && last.lines.contains("Retry-After: 2"))
        #expect(client.statuses.prefix(20 - refused).allSatisfy { $0 == 200 })
    }

    @Test func `a hit that its shard then refuses is counted, since it was promised`() throws {
        let rig = try rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get())
        rig.pump { worker.hitCount == 2 }
        worker.ack(worker.frames[0], [.good, .refused])
        rig.pump { rig.value(.hitsAnsweredUnstored) == 1 }
        #expect(client.statuses == [200, 200])
    }

    @Test(arguments: [true, false])
    func `a drain waits for the acks, and counts what it leaves behind`(_ acknowledges: Bool) throws
    {
        let rig = try rig()
        var drained = 0
        var leftBehind: [Int: Int] = [:]
        rig.state.pointee.didDrain = { drained += 1 }
        rig.state.pointee.leavesBehind = { leftBehind[$0] = $1 }
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get())
        rig.pump { worker.hitCount == 2 && client.statuses == [200, 200] }
        client.close()
        rig.routing.drain(withinMs: 2000)
        rig.pump(forMs: 1400)
        #expect(drained == 0)
        if acknowledges { worker.ackAll() }
        rig.pump { drained == 1 }
        #expect(rig.value(.hitsAnsweredUnstored) == (acknowledges ? 0 : 2))
        #expect(leftBehind == (acknowledges ? [:] : [0: 2]))
    }
}
