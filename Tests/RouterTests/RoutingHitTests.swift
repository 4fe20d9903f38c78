import Core
import Glibc
import Platform
import Testing

@testable import Router

/// From request to answer.
@Suite struct RoutingHitTests {
    @Test func `a GET becomes a hit in a frame, and its ack the pixel`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        let before = realtimeMicroseconds()
        client.send(
            get(
                "/p.gif?e=view&uid=7",
                fields: "User-Agent: UA\r\nReferer: r\r\nCookie: a=b; hy_uid=v9; c=d\r\n"))
        rig.pump { worker.frames.count == 1 }
        let frame = try #require(worker.frames.first)
        #expect(frame.header.origin == Rig.origin)
        #expect(frame.header.sequence == 1)
        #expect(frame.header.kind == .hits)
        let hits = frame.hits { hit in
            #expect(hit.route == HitLayout.Route.pixel && hit.flags == 0)
            #expect(hit.id[6] >> 4 == 7 && hit.id[8] >> 6 == 2)
            #expect((before...realtimeMicroseconds()).contains(hit.receivedAtMicroseconds))
            #expect(
                Array(UnsafeBufferPointer(start: hit.address, count: 16))
                    == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1])
            return [hit.target, hit.userAgent, hit.referer, hit.visitorCookie].map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(hits == [["/p.gif?e=view&uid=7", "UA", "r", "v9"]])
        rig.pump()
        #expect(client.received.isEmpty, "answered before its ack")

        worker.ack(frame)
        rig.pump { client.answers().count == 1 }
        let table = AnswerTable(unixSeconds: 0)
        let expected = Array(table.bytes(.pixel, .implied, isHead: false))
        // All but the date's 29 bytes.
        #expect(client.received.count == expected.count)
        #expect(client.received.prefix(23) == expected.prefix(23))
        #expect(client.received.dropFirst(52) == expected.dropFirst(52))
        #expect(rig.value(.answers200) == 1 && rig.value(.requests) == 1)
        rig.pump()
        #expect(!client.isEnded)
    }

    @Test func `HEAD is a hit too, and its answer has no body`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send("HEAD /p.gif HTTP/1.1\r\nHost: t\r\n\r\n" + get("/none"))
        rig.pump { worker.frames.count == 1 }
        #expect(worker.frames[0].hits(\.flags) == [HitLayout.Flag.head])
        worker.ackAll()
        rig.pump { client.answers(heads: [0]).count == 2 }
        let answers = client.answers(heads: [0])
        #expect(answers.map(\.status) == [200, 404])
        #expect(answers[0].lines.contains("Content-Length: 43"))
    }

    @Test(arguments: [
        (Settings.OnInvalid.refuse, [200, 400, 503]), (.accept, [200, 200, 503]),
    ])
    func `each verdict has its answer`(_ policy: Settings.OnInvalid, _ statuses: [Int]) throws {
        let rig = try Rig { $0.onInvalid = policy }
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get() + get() + get())
        rig.pump { worker.frames.count == 1 }
        worker.ack(worker.frames[0], [.good, .bad, .refused])
        rig.pump { client.answers().count == 3 }
        #expect(client.statuses == statuses)
        #expect(client.answers()[1].body == AnswerTable.gif)
        #expect(client.answers()[2].lines.contains("Retry-After: 2"))
    }

    @Test(arguments: [
        ("/p.gif", 200), ("/p.gif?", 200), ("/1x1.gif?a=1", 200), ("/pixel.gif", 200),
        ("http://t/p.gif?x", 200), ("http://t?/p.gif", 404), ("http://t", 404), ("/p.gifx", 404),
        ("/P.GIF", 404), ("/", 404), ("/p.gi", 404), ("//p.gif", 404), ("/x/p.gif", 404),
    ])
    func `the pixel has three names`(_ target: String, _ status: Int) throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get(target))
        rig.pump {
            worker.ackAll()
            return client.answers().count == 1
        }
        #expect(client.statuses == [status])
    }

    @Test func `other methods are refused, and their bodies are not requests`() throws {
        let rig = try Rig()
        _ = try rig.link()
        let client = try rig.connect()
        let smuggled = get("/p.gif?smuggled")
        let post =
            "POST /p.gif HTTP/1.1\r\nHost: t\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n"
        client.send(post + smuggled + get("/none") + post)
        rig.pump { client.answers().count == 3 }
        client.send(smuggled.prefix(5) + "")
        rig.pump()
        client.send(smuggled.dropFirst(5) + get("/none"))
        rig.pump { client.answers().count == 4 }
        #expect(client.statuses == [405, 404, 405, 404])
        #expect(client.answers()[0].lines.contains("Allow: GET, HEAD"))
        #expect(rig.value(.requests) == 4)
        for method in ["OPTIONS *", "TRACE /p.gif", "CONNECT t:80"] {
            client.send("\(method) HTTP/1.1\r\nHost: t\r\n\r\n")
        }
        rig.pump { client.answers().count == 7 }
        #expect(client.statuses.suffix(3) == [404, 405, 404])
    }

    @Test func `a GET's body is passed over too`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        client.send(get("/p.gif?1", fields: "Content-Length: 5\r\n") + "GET /" + get("/p.gif?2"))
        rig.pump { worker.hitCount == 2 }
        #expect(worker.frames.flatMap(\.targets) == ["/p.gif?1", "/p.gif?2"])
    }

    @Test func `a body over 64 KiB is refused before it comes, and the answer arrives whole`()
        throws
    {
        let rig = try Rig()
        let client = try rig.connect()
        client.send("POST /p.gif HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n")
        client.send(String(repeating: "x", count: 65_537))
        rig.pump { client.isEnded }
        #expect(client.statuses == [413])
        #expect(client.answers()[0].connection == "close")
        #expect(!client.isReset)
    }

    @Test func `without a worker's link hits wait, and leave when it comes`() throws {
        let rig = try Rig()
        let client = try rig.connect()
        client.send(get("/p.gif?1"))
        rig.pump()
        let worker = try rig.link()
        rig.pump { worker.hitCount == 1 }
        worker.ackAll()
        rig.pump { client.statuses == [200] }
    }

    @Test func `a head may drip in byte by byte`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let client = try rig.connect()
        for byte in get("/p.gif?drip", fields: "User-Agent: slow\r\n") {
            client.send(String(byte))
            rig.pump(forMs: 1)
        }
        rig.pump { worker.hitCount == 1 }
        #expect(worker.frames[0].targets == ["/p.gif?drip"])
    }

    @Test func `hits that arrive in one turn share frames`() throws {
        let rig = try Rig()
        let worker = try rig.link()
        let clients = try (0..<8).map { _ in try rig.connect() }
        rig.pump { rig.value(.connectionsOpen) == 8 }
        for (index, client) in clients.enumerated() { client.send(get("/p.gif?\(index)")) }
        rig.pump { worker.hitCount == 8 }
        #expect(worker.frames.count < 8)
        #expect(Set(worker.frames.flatMap(\.targets)) == Set((0..<8).map { "/p.gif?\($0)" }))
        // Each client gets the answer to its own hit.
        for frame in worker.frames {
            worker.ack(frame, frame.targets.map { $0 == "/p.gif?3" ? .bad : .good })
        }
        rig.pump { clients.allSatisfy { $0.answers().count == 1 } }
        #expect(clients.map { $0.statuses[0] } == [200, 200, 200, 400, 200, 200, 200, 200])
    }
}
