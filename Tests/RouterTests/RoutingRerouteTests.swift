import Core
import Platform
import Testing

@testable import Router

/// `on_shard_down`. By jump hash `a%20b` belongs to shard 0 and `u1` to shard 1 of two.
@Suite struct RoutingRerouteTests {
    private func rig(workers: Int = 2, waitLimitMs: UInt64 = 2000) throws -> Rig {
        try Rig(workers: workers) {
            $0.onShardDown = .reroute
            $0.waitLimitMs = waitLimitMs
        }
    }

    private let first = get("/p.gif?uid=a%20b")
    private let second = get("/p.gif?uid=u1")

    @Test func `while all shards live each hit goes to its own`() throws {
        let rig = try rig()
        let workers = [try rig.link(0), try rig.link(1)]
        let client = try rig.connect()
        client.send(first + second)
        rig.pump { workers.allSatisfy { $0.hitCount == 1 } }
        #expect(rig.value(.hitsRerouted) == 0)
    }

    @Test func `hits of a shard without a link go to the living one, those in a frame stay`() throws
    {
        let rig = try rig()
        let doomed = try rig.link(0)
        let living = try rig.link(1)
        let clients = [try rig.connect(), try rig.connect()]
        clients[0].send(first)
        rig.pump { doomed.hitCount == 1 }
        doomed.close()
        rig.pump { !rig.state.pointee.links[0].isOpen }
        clients[1].send(first + second)
        rig.pump {
            living.ackAll()
            return clients[1].statuses == [200, 200]
        }
        #expect(rig.value(.hitsRerouted) == 1)
        #expect(clients[0].received.isEmpty)
        let back = try rig.link(0)
        rig.pump { back.hitCount == 1 }
        #expect(back.frames == doomed.frames)
        back.ackAll()
        rig.pump { clients[0].statuses == [200] }
        clients[0].send(first)
        rig.pump { back.hitCount == 1 }
        #expect(rig.value(.hitsRerouted) == 1, "it is back")
    }

    @Test func `hits of a shard that says nothing go elsewhere once one was refused for it`() throws
    {
        let rig = try rig(waitLimitMs: 150)
        let stopped = try rig.link(0)
        let living = try rig.link(1)
        let client = try rig.connect()
        client.send(first)
        rig.pump { client.statuses == [503] }
        client.send(first)
        rig.pump {
            living.ackAll()
            return client.statuses == [503, 200]
        }
        #expect(rig.value(.hitsRerouted) == 1 && rig.value(.hitsRefusedLate) == 1)
        stopped.ackAll()
        rig.pump { rig.value(.hitsLate) == 1 }
        client.send(first)
        rig.pump { stopped.hitCount == 1 }
        #expect(rig.value(.hitsRerouted) == 1)
    }

    @Test func `hits for which there is no room go elsewhere, and are refused where there is none`()
        throws
    {
        let rig = try rig(workers: 256)  // 128 KiB each: two frames
        let shard = jumpHash(0x9dc0_2546_854d_5df1, buckets: 256)  // of u1
        let other = (shard + 1) % 256
        _ = try rig.link(shard)
        let stopped = try rig.link(other)
        stopped.reads = false
        let client = try rig.connect()
        let agent = "User-Agent: \(String(repeating: "a", count: 15_000))\r\n"
        for _ in 0..<24 { client.send(get("/p.gif?uid=u1", fields: agent)) }
        rig.pump { rig.value(.requests) == 24 }
        let (rerouted, refused) = (rig.value(.hitsRerouted), rig.value(.hitsRefusedWindow))
        #expect(rerouted >= 4 && refused >= 4)
        #expect(
            (rig.state.pointee.windows + shard).pointee.outstandingHits == 24
                - Int(rerouted + refused))
        #expect((rig.state.pointee.windows + other).pointee.outstandingHits == Int(rerouted))
    }

    @Test func `with no shard alive hits wait for their own`() throws {
        let rig = try rig()
        let client = try rig.connect()
        client.send(first + second)
        rig.pump { rig.value(.requests) == 2 }
        #expect(rig.value(.hitsRerouted) == 0)
        let workers = [try rig.link(0), try rig.link(1)]
        rig.pump { workers.allSatisfy { $0.hitCount == 1 } }
    }

    @Test func `with wait, nothing goes elsewhere`() throws {
        let rig = try Rig(workers: 2)
        let living = try rig.link(1)
        let client = try rig.connect()
        client.send(first)
        rig.pump { rig.value(.requests) == 1 }
        rig.pump(forMs: 150)
        #expect(living.hitCount == 0 && client.received.isEmpty)
        #expect(rig.value(.hitsRerouted) == 0)
    }
}
