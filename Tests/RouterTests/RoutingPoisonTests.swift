import Core
import Platform
import Testing

@testable import Router

/// Hits that kill their workers, on real sockets.
@Suite struct RoutingPoisonTests {
    private static let lone = LoneHit.origin(of: Rig.origin)

    /// A router with one batch of `targets` out, brought to sending it hit by hit: its workers had
    /// read it and died twice. Whoever links next gets the first hit alone.
    private func apart(
        _ targets: [String], _ configure: (inout Settings) -> Void = { _ in }
    ) throws -> (rig: Rig, client: TestClient) {
        let rig = try Rig(configure)
        let client = try rig.connect()
        for death in 1...2 {
            let worker = try rig.link()
            if death == 1 { client.send(targets.map { get($0) }.joined()) }
            rig.pump { worker.frames.count == 1 }
            #expect(worker.frames[0].targets == targets)
            #expect(rig.value(.batchesIsolated) == 0)
            die(rig, worker)
        }
        #expect(rig.value(.batchesIsolated) == 1)
        return (rig, client)
    }

    private func die(_ rig: Rig, _ worker: TestWorker) {
        worker.close()
        rig.pump { !rig.state.pointee.links[0].isOpen }
    }

    @Test func `a batch that two workers died with goes out hit by hit, each under its own number`()
        throws
    {
        let (rig, client) = try apart(["/p.gif?1", "/p.gif?2", "/p.gif?3"])
        let worker = try rig.link()
        for (place, verdict) in [Verdict.good, .bad, .refused].enumerated() {
            rig.pump { worker.frames.count == 1 }
            rig.pump()
            #expect(worker.frames.count == 1, "one at a time")
            let frame = worker.frames[0]
            #expect(frame.header.kind == .lone && frame.header.origin == Self.lone)
            #expect(frame.header.sequence == LoneHit.sequence(batch: 1, place: place))
            #expect(frame.targets == ["/p.gif?\(place + 1)"])
            worker.forget()
            worker.ack(frame, [verdict])
        }
        rig.pump { client.statuses == [200, 400, 503] }
        // What comes after goes as ever, under the batch's own numbering.
        client.send(get("/p.gif?4") + get("/p.gif?5"))
        rig.pump { worker.frames.count == 1 }
        #expect(worker.frames[0].header.sequence == 2)
        #expect(worker.frames[0].header.origin == Rig.origin)
        #expect(worker.frames[0].targets == ["/p.gif?4", "/p.gif?5"])
        worker.ackAll()
        rig.pump { client.statuses == [200, 400, 503, 200, 200] }
        check(rig.state.pointee.windows[0].isEmpty)
        #expect(rig.value(.hitsOpaque) == 0 && rig.value(.answersUnclaimed) == 0)
    }

    @Test func `a hit that two more workers read and died over goes out opaque, the others do not`()
        throws
    {
        let (rig, client) = try apart(["/p.gif?1", "/p.gif?poison", "/p.gif?3"])
        var lone: TestFrame?
        for death in 1...2 {
            let worker = try rig.link()
            if death == 1 {
                rig.pump { worker.frames.count == 1 }
                worker.ackAll()
            }
            rig.pump { worker.frames.last?.targets == ["/p.gif?poison"] }
            let frame = worker.frames.last!
            #expect(frame.header.kind == .lone)
            #expect(lone == nil || lone == frame, "byte for byte under its number")
            lone = frame
            #expect(rig.value(.hitsOpaque) == 0)
            die(rig, worker)
        }
        let worker = try rig.link()
        rig.pump { worker.frames.count == 1 }
        let opaque = worker.frames[0]
        #expect(opaque.header.kind == .opaque && rig.value(.hitsOpaque) == 1)
        #expect(opaque.header.sequence == lone!.header.sequence)
        #expect(
            opaque.bytes[FrameHeader.byteCount...] == lone!.bytes[FrameHeader.byteCount...])
        worker.forget()
        worker.ack(opaque, [.bad])
        rig.pump { worker.frames.count == 1 }
        #expect(worker.frames[0].header.kind == .lone)
        worker.ackAll()
        rig.pump { client.statuses == [200, 400, 200] }
    }

    @Test func `workers that die before they read a hit alone do not make it opaque`() throws {
        let (rig, client) = try apart(["/p.gif?1"])
        for _ in 0..<6 {
            let worker = try rig.link()
            worker.reads = false
            rig.pump()
            die(rig, worker)
        }
        let worker = try rig.link()
        rig.pump { worker.frames.count == 1 }
        #expect(worker.frames[0].header.kind == .lone && rig.value(.hitsOpaque) == 0)
        worker.ackAll()
        rig.pump { client.statuses == [200] }
    }

    @Test func `links that the router cut itself are no deaths`() throws {
        let rig = try Rig()
        let client = try rig.connect()
        client.send(get())
        for _ in 0..<5 {
            let worker = try rig.link()
            rig.pump { worker.frames.count == 1 }
            worker.say([UInt8](repeating: 0xff, count: 64))
            rig.pump { worker.isEnded }
            rig.pump { !rig.state.pointee.links[0].isOpen }
        }
        #expect(rig.value(.batchesIsolated) == 0)
        let worker = try rig.link()
        rig.pump { worker.frames.count == 1 }
        #expect(worker.frames[0].header.kind == .hits)
    }

    @Test func `what came in the meantime waits behind the batch that is taken apart`() throws {
        let (rig, client) = try apart(["/p.gif?1", "/p.gif?2"])
        let other = try rig.connect()
        let worker = try rig.link()
        rig.pump { worker.frames.count == 1 }
        other.send(get("/p.gif?3"))
        rig.pump { rig.value(.requests) == 3 }
        rig.pump(forMs: 150)
        #expect(worker.frames.count == 1)
        while client.answers().count < 2 || other.answers().isEmpty {
            rig.pump { !worker.frames.isEmpty }
            guard !worker.frames.isEmpty else { return }
            worker.ackAll()
            rig.pump(forMs: 2)
        }
        #expect(client.statuses == [200, 200] && other.statuses == [200])
        #expect(rig.value(.framesSent) == 2 + 2 + 1)
    }

    @Test func `an ack in pieces, twice, or of a hit that is not out`() throws {
        let (rig, client) = try apart(["/p.gif?1", "/p.gif?2"])
        let worker = try rig.link()
        rig.pump { worker.frames.count == 1 }
        let ack = TestWorker.ack(worker.frames[0], [.good])
        for byte in ack {
            worker.say([byte])
            rig.pump(forMs: 1)
        }
        rig.pump { worker.frames.count == 2 && client.statuses == [200] }
        worker.say(ack)
        rig.pump()
        #expect(!worker.isEnded, "a repetition is harmless")
        var wrong = TestWorker.ack(worker.frames[1], [.good])
        wrong[16] += 1
        worker.say(wrong)
        rig.pump { worker.isEnded }
        let next = try rig.link()
        rig.pump { next.frames.count == 1 }
        #expect(next.frames[0] == worker.frames[1])
        next.ackAll()
        rig.pump { client.statuses == [200, 200] }
    }

    @Test func `a hit that waits too long while its batch is apart is answered 503, and then late`()
        throws
    {
        let (rig, client) = try apart(["/p.gif?1", "/p.gif?2"]) { $0.waitLimitMs = 300 }
        rig.pump { client.statuses == [503, 503] }
        let worker = try rig.link()
        for _ in 0..<2 {
            rig.pump { worker.frames.count == 1 }
            worker.ackAll()
        }
        rig.pump { rig.value(.hitsLate) == 2 }
        #expect(rig.value(.hitsRefusedLate) == 2 && client.answers().count == 2)
        check(rig.state.pointee.windows[0].isEmpty)
    }

    @Test func `a lone hit of the largest size goes through a link that is slow to take it`() throws
    {
        let agent = "User-Agent: \(String(repeating: "a", count: 15_000))\r\n"
        let rig = try Rig()
        let client = try rig.connect()
        for _ in 1...2 {
            let worker = try rig.link()
            if rig.value(.requests) == 0 { client.send(get(fields: agent) + get(fields: agent)) }
            rig.pump { worker.hitCount == 2 }
            die(rig, worker)
        }
        let worker = try rig.link()
        for _ in 0..<2 {
            rig.pump { worker.frames.count == 1 }
            #expect(worker.frames[0].header.kind == .lone)
            #expect(worker.frames[0].bytes.count > 15_000)
            worker.ackAll()
        }
        rig.pump { client.statuses == [200, 200] }
    }
}
