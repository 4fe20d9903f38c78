import Core
import Glibc
import Platform
import Testing

@testable import Router

/// Pipelines, persistence, ends.
@Suite struct RoutingConnectionTests {
    @Test func `pipelined requests are answered in order, 64 of them at a time`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        var expected: [Int] = []
        for index in 0..<500 {
            client.send(get(index % 3 == 0 ? "/none" : "/p.gif?i=\(index)"))
            expected.append(index % 3 == 0 ? 404 : index % 5 == 0 ? 400 : 200)
        }
        rig.pump { worker.hitCount > 0 && rig.value(.requests) >= 65 }
        rig.pump()
        #expect(worker.hitCount <= 64)
        #expect(rig.value(.requests) == 65, "64 wait; the first, a 404, is answered at once")
        rig.pump {
            for frame in worker.frames {
                worker.ack(
                    frame, frame.targets.map { Int($0.dropFirst(9))! % 5 == 0 ? .bad : .good })
            }
            worker.forget()
            return client.answers().count == 500
        }
        #expect(client.statuses == expected)
        #expect(rig.value(.requests) == 500)
    }

    @Test func `answers keep their order though the second worker is the first to speak`() throws {
        let rig = try Rig(workers: 2)
        let workers = [try rig.link(0), try rig.link(1)]
        let client = try rig.connect()
        // By jump hash `a%20b` belongs to shard 0 and `u1` to shard 1.
        client.send(get("/p.gif?uid=a%20b") + get("/p.gif?uid=u1") + get("/p.gif?uid=a%20b"))
        rig.pump { workers[0].hitCount == 2 && workers[1].hitCount == 1 }
        workers[1].ack(workers[1].frames[0], [.bad])
        rig.pump()
        #expect(client.received.isEmpty)
        workers[0].ackAll()
        rig.pump { client.answers().count == 3 }
        #expect(client.statuses == [200, 400, 200])
    }

    @Test func `HTTP 1_0 ends after its answer, unless it asked to be kept`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let short = try rig.connect()
        let kept = try rig.connect()
        short.send(get(version: "1.0"))
        kept.send(get(fields: "Connection: keep-alive\r\n", version: "1.0"))
        rig.pump {
            worker.ackAll()
            return short.isEnded && kept.answers().count == 1
        }
        #expect(short.answers().map(\.connection) == ["close"])
        #expect(!short.isReset)
        #expect(kept.answers()[0].connection == "keep-alive")
        kept.send(get(version: "1.0"))
        rig.pump {
            worker.ackAll()
            return kept.isEnded
        }
        #expect(kept.answers().map(\.connection) == ["keep-alive", "close"])
    }

    @Test func `Connection close is said by the last answer only, and nothing after it is taken`()
        throws
    {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get() + get(fields: "Connection: close\r\n") + get("/p.gif?after"))
        rig.pump { worker.hitCount == 3 }
        worker.ackAll()
        rig.pump { client.isEnded }
        #expect(client.answers().map(\.connection) == [nil, nil, "close"])
        #expect(rig.value(.requests) == 3)
    }

    @Test func `after a malformed request the earlier ones are answered, then it, then no more`()
        throws
    {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get("/p.gif?1") + get("/p.gif?2") + "GET /p.gif\r\n\r\n" + get("/p.gif?3"))
        rig.pump { worker.hitCount == 2 }
        rig.pump()
        #expect(client.received.isEmpty)
        worker.ackAll()
        rig.pump { client.isEnded }
        #expect(client.statuses == [200, 200, 400])
        #expect(client.answers().map(\.connection) == [nil, nil, "close"])
        #expect(client.answers()[2].body.starts(with: "400:".utf8))
        #expect(worker.hitCount == 0 && rig.value(.requestsMalformed) == 1)
        // What still comes is thrown away, so that no reset overtakes the answer.
        client.send(get("/p.gif?4"))
        rig.pump()
        #expect(!client.isReset && worker.hitCount == 0)
        client.close()
        rig.pump { rig.value(.connectionsOpen) == 0 }
    }

    @Test(arguments: [
        ("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: t\r\n\r\n", 414),
        (get(fields: "X: \(String(repeating: "a", count: 20_000))\r\n"), 431),
        (get(fields: (0..<100).map { "X\($0): y\r\n" }.joined()), 431),
        (get(fields: "Transfer-Encoding: chunked\r\n"), 501), (get(version: "2.0"), 505),
        ("GET / HTTP/1.1\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}", 400),
    ])
    func `each framing fault has its answer and ends the connection`(
        _ request: String, _ status: Int
    ) throws {
        let rig = try Rig()
        let client = try rig.connect()
        client.send(request)
        rig.pump { client.isEnded }
        #expect(client.statuses == [status])
        #expect(client.answers()[0].connection == "close")
        #expect(!client.isReset)
    }

    @Test func `a body still on its way when the connection ends does not reset the answer`() throws
    {
        let rig = try Rig()
        let client = try rig.connect()
        client.reads = false
        client.send(
            "POST /p.gif HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 9\r\n\r\n")
        rig.pump { rig.value(.answers405) == 1 }
        rig.pump()
        client.send("some body")
        rig.pump()
        client.reads = true
        rig.pump { client.isEnded }
        #expect(client.statuses == [405] && !client.isReset)
        #expect(rig.value(.connectionsOpen) == 1, "it lingers until the client ends its side")
        client.close()
        rig.pump { rig.value(.connectionsOpen) == 0 }
    }

    @Test func `a client that has ended its side still gets its answers`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get())
        client.shutDownWriting()
        rig.pump { worker.hitCount == 2 }
        rig.pump()
        #expect(!client.isEnded)
        worker.ackAll()
        rig.pump { client.isEnded }
        #expect(client.statuses == [200, 200] && !client.isReset)
        #expect(client.answers().map(\.connection) == [nil, "close"])
        rig.pump { rig.value(.connectionsOpen) == 0 }
    }

    @Test func `a half-closed client that reads slowly gets every answer`() throws {
        let rig = try Rig()
        let client = try rig.connect(receiveBytes: 4096)
        client.reads = false
        for _ in 0..<4000 { client.send(get("/none")) }
        rig.pump(forMs: 50)
        client.reads = true
        rig.pump { client.unsentBytes == 0 }
        client.shutDownWriting()
        rig.pump { client.isEnded }
        #expect(client.answers().count == 4000 && !client.isReset)
    }

    @Test func `a client that leaves before its ack leaves nothing to its successor`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get("/p.gif?old"))
        rig.pump { worker.hitCount == 1 }
        let old = worker.frames[0]
        client.reset()
        rig.pump { rig.value(.connectionsOpen) == 0 }
        let newcomer = try rig.connect()
        newcomer.send(get("/p.gif?new"))
        rig.pump { worker.hitCount == 2 }
        #expect(rig.openSlots == [0])  // the same slot
        worker.ack(old)
        rig.pump { rig.value(.answersUnclaimed) == 1 }
        rig.pump()
        #expect(newcomer.received.isEmpty)
        worker.ack(worker.frames[1], [.bad])
        rig.pump { newcomer.statuses == [400] }
        #expect(rig.value(.answers200) == 0)
    }

    @Test func `a slow reader costs bounded memory, and costs the others nothing`() throws {
        let rig = try Rig()
        let client = try rig.connect(receiveBytes: 4096)
        client.reads = false
        let count = 20_000
        client.send((0..<count).map { _ in get("/none") }.joined())
        rig.pump { rig.state.pointee.slab[0].pointee.flags.contains(.writing) }
        for _ in 0..<20 {
            rig.pump(forMs: 5)
            #expect(rig.state.pointee.slab[0].pointee.kept.count <= KeptBytes.bytesMax)
            #expect(rig.state.pointee.slab[0].pointee.handle.queuedBytes <= 64 << 10)
        }
        #expect(rig.value(.requests) < UInt64(count))
        let other = try rig.connect()
        other.send(get("/none"))
        rig.pump { other.statuses == [404] }
        client.reads = true
        rig.pump { client.received.count >= count * 230 && client.unsentBytes == 0 }
        rig.pump { client.answers().count == count }
        #expect(rig.value(.requests) == UInt64(count) + 1)
    }

    @Test func `at the limit of connections the next one waits its turn`() throws {
        let rig = try Rig(listeners: 2) { $0.connectionsMax = 16 }
        let first = try (0..<16).map { try rig.connect($0 % 2) }
        rig.pump { rig.value(.connectionsOpen) == 16 }
        let waiting = try [rig.connect(0), rig.connect(1), rig.connect(1)]
        waiting.forEach { $0.send(get("/none")) }
        rig.pump()
        #expect(rig.value(.connectionsOpen) == 16)
        #expect(waiting.allSatisfy { $0.received.isEmpty && !$0.isEnded })
        first[3].close()
        rig.pump { waiting.filter { !$0.received.isEmpty }.count == 1 }
        first[4].close()
        first[5].close()
        rig.pump { waiting.allSatisfy { $0.statuses == [404] } }
        #expect(rig.value(.connectionsAccepted) == 19)
    }

    @Test func `silence and lingering are ended after their time`() throws {
        let rig = try Rig { $0.keepAliveMs = 1000 }
        let silent = try rig.connect()
        let pending = try rig.connect()
        let stubborn = try rig.connect()
        pending.send(get())
        stubborn.send("nonsense\r\n\r\n")
        rig.pump { stubborn.isEnded && rig.value(.connectionsOpen) == 3 }
        let began = monotonicNanoseconds()
        rig.pump {
            stubborn.send("x")  // sending on does not make it linger for longer
            for _ in 0..<60 { rig.routing.tick() }
            return silent.isEnded && rig.value(.connectionsOpen) == 1
        }
        #expect(monotonicNanoseconds() - began < 6_000_000_000)
        #expect(!pending.isEnded)
    }
}
