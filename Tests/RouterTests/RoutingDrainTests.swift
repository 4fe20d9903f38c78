import Core
import Platform
import Testing

@testable import Router

@Suite struct RoutingDrainTests {
    /// The rig's router, asked to drain; counts how often it says it has.
    private final class Drains {
        var count = 0
    }

    private func drains(of rig: Rig) -> Drains {
        let drains = Drains()
        rig.state.pointee.didDrain = { drains.count += 1 }
        return drains
    }

    @Test func `a drain answers what waits, says close, and ends`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let worker = try rig.link()
        let client = try rig.connect()
        let kept = try rig.connect()
        client.send(get() + get())
        rig.pump { worker.hitCount == 2 && rig.value(.connectionsOpen) == 2 }
        rig.routing.drain(withinMs: 8000)
        rig.pump()
        worker.ackAll()
        rig.pump { client.isEnded }
        #expect(client.answers().map(\.connection) == [nil, "close"] && !client.isReset)
        // A request on a connection that was idle is still answered.
        kept.send(get())
        rig.pump {
            worker.ackAll()
            return kept.isEnded
        }
        #expect(kept.answers().map(\.connection) == ["close"])
        #expect(kept.statuses == [200] && !kept.isReset)
        client.close()
        kept.close()
        rig.pump { drains.count == 1 }
        rig.pump(forMs: 250)
        #expect(drains.count == 1)
    }

    @Test func `connections that say nothing are kept a second`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let client = try rig.connect()
        rig.pump { rig.value(.connectionsOpen) == 1 }
        let began = monotonicNanoseconds()
        rig.routing.drain(withinMs: 8000)
        rig.pump { client.isEnded }
        #expect(monotonicNanoseconds() - began > 900_000_000)
        rig.pump { drains.count == 1 }
        #expect(monotonicNanoseconds() - began < 4_000_000_000)
    }

    @Test func `nobody new is taken in`() throws {
        let rig = try Rig()
        let client = try rig.connect()
        rig.pump { rig.value(.connectionsOpen) == 1 }
        rig.routing.drain(withinMs: 8000)
        rig.pump()
        #expect(throws: Failure.self) { try rig.connect() }
        #expect(!client.isEnded)
    }

    @Test func `a hit whose client has left is waited for`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get())
        rig.pump { worker.hitCount == 1 }
        client.reset()
        rig.pump { rig.value(.connectionsOpen) == 0 }
        rig.routing.drain(withinMs: 8000)
        rig.pump(forMs: 1300)
        #expect(drains.count == 0)
        worker.ackAll()
        rig.pump { drains.count == 1 }
    }

    @Test func `the deadline ends everything, and a second order may bring it forward`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let client = try rig.connect()
        client.send(get())  // there is no worker
        rig.pump { rig.value(.requests) == 1 }
        let began = monotonicNanoseconds()
        rig.routing.drain(withinMs: 60_000)
        rig.pump()
        rig.routing.drain(withinMs: 300)
        rig.routing.drain(withinMs: 60_000)
        rig.pump { drains.count == 1 && client.isEnded }
        #expect(monotonicNanoseconds() - began < 2_000_000_000)
    }

    @Test func `a request that stopped half-way is not waited for, one that goes on is answered`()
        throws
    {
        let rig = try Rig()
        let drains = drains(of: rig)
        let (stuck, slow) = (try rig.connect(), try rig.connect())
        let request = get("/none")
        stuck.send(String(request.prefix(8)))
        slow.send(String(request.prefix(8)))
        rig.pump(forMs: 100)
        rig.routing.drain(withinMs: 60_000)
        for byte in request.dropFirst(8).dropLast(request.count - 14) {
            rig.pump(forMs: 900)
            slow.send(String(byte))
        }
        #expect(stuck.isEnded && !slow.isEnded && drains.count == 0)
        slow.send(String(request.dropFirst(14)))
        rig.pump { slow.isEnded }
        #expect(slow.statuses == [404])
        slow.close()
        rig.pump { drains.count == 1 }
    }

    @Test func `answers that the client has not read yet are not cut off`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let client = try rig.connect(receiveBytes: 4096)
        client.reads = false
        let count = 20_000
        client.send((0..<count).map { _ in get("/none") }.joined())
        rig.pump { rig.state.pointee.slab[0].pointee.flags.contains(.writing) }
        rig.routing.drain(withinMs: 9000)
        rig.pump(forMs: 1300)
        client.reads = true
        rig.pump { client.isEnded }
        let answers = client.answers()
        #expect(answers.last?.connection == "close" && answers.count > 64)
        #expect(UInt64(answers.count) == rig.value(.answers404) && !client.isReset)
        client.close()
        rig.pump { drains.count == 1 }
    }

    @Test func `a connection whose last answers are still being written is not idle`() throws {
        let rig = try Rig()
        let drains = drains(of: rig)
        let client = try rig.connect(receiveBytes: 4096)
        client.reads = false
        let some = (0..<32).map { _ in get("/none") }.joined()
        var asked: UInt64 = 0
        repeat {
            client.send(some)
            asked += 32
            rig.pump { rig.value(.requests) == asked }
        } while !rig.state.pointee.slab[0].pointee.flags.contains(.writing)
        check(rig.state.pointee.slab[0].pointee.pending.isEmpty)
        rig.routing.drain(withinMs: 9000)
        rig.pump(forMs: 1300)
        client.reads = true
        rig.pump { client.isEnded }
        #expect(UInt64(client.answers().count) == asked && !client.isReset)
        client.close()
        rig.pump { drains.count == 1 }
    }
}
