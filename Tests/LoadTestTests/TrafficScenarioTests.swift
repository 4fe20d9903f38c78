import Config
import Core
import Glibc
import Testing

@testable import LoadTest

@Suite struct TrafficScenarioTests {
    /// Layout and draws are part of what a seed promises: runs of one version can be compared.
    @Test func `a seed's requests are these bytes`() throws {
        let plan = try LoadPlan.builtIn("adtech", seed: 42).changed { $0.ledger = "l" }
        let requests = try Requests(plan)
        #expect(
            requests.text(1) == """
                GET /pixel.gif?_hl=1234abcd-0000000001&event=load&uid=7225af59-e065-4244-a76\
                2-68d0a981c857&campaign=100022&creative=100022-6&placement=video_preroll&pub\
                lisher=news.example&position=8&ts=1792653328129&cb=4513515437287 HTTP/1.1\r
                Host: 127.0.0.1:8080\r
                Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r
                Accept-Encoding: gzip, deflate, br\r
                User-Agent: Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.\
                15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1\r
                Accept-Language: en-GB,en;q=0.9\r
                Referer: https://news.example/sport/83908.html\r
                \r

                """)
        #expect(
            requests.text(2) == """
                GET /pixel.gif?_hl=1234abcd-0000000002&event=load&campaign=100007&creative=1\
                00007-5&placement=homepage_top&publisher=sport.example&url=https%3A%2F%2Fspo\
                rt.example%2Fsport%2F49841.html&viewable=1&ts=1785463206368&cb=6778496353756\
                 HTTP/1.1\r
                Host: 127.0.0.1:8080\r
                Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r
                Accept-Encoding: gzip, deflate, br\r
                User-Agent: Mozilla/5.0 (Linux; Android 10; SM-G984B; wv) AppleWebKit/537.36\
                 (KHTML, like Gecko) Version/4.0 Chrome/121.0.716.154 Mobile Safari/537.36\r
                Accept-Language: en-US,en;q=0.9\r
                Referer: https://sport.example/sport/49841.html\r
                Cookie: hy_uid=f0031a34-429b-404c-80be-df44de95019c\r
                \r

                """)
    }

    @Test func `a request follows from its seed and number alone`() throws {
        for name in ScenarioFile.builtInNames {
            let plan = try LoadPlan.builtIn(name, seed: 9)
            let forward = try Requests(plan)
            let other = try Requests(plan)
            let ahead = (0..<300).map { forward.request($0).bytes }
            // Another maker, backwards, with other requests in between.
            for sequence in (UInt64(0)..<300).reversed() {
                _ = other.request(sequence &* 7919 &+ 1)
                #expect(other.request(sequence).bytes == ahead[Int(sequence)])
            }
            let reseeded = try Requests(plan.changed { $0.seed = 10 })
            #expect((0..<300).count { reseeded.request($0).bytes == ahead[Int($0)] } < 3)
        }
    }

    @Test func `twenty thousand requests are nearly all different`() throws {
        for name in ScenarioFile.builtInNames {
            let requests = try Requests(.builtIn(name))
            #expect(Set((0..<20_000).map { requests.text($0) }).count > 19_500, "\(name)")
        }
    }

    @Test func `every request is one that the product's router can read`() throws {
        for name in ScenarioFile.builtInNames {
            for ledger in [nil, "l"] {
                let requests = try Requests(.builtIn(name).changed { $0.ledger = ledger })
                for sequence in 0..<5000 as Range<UInt64> {
                    let (bytes, hasNoBody) = requests.request(sequence)
                    bytes.withUnsafeBytes { bytes in
                        var head = RequestHead()
                        #expect(parseRequestHead(bytes, into: &head) == .complete)
                        #expect(head.byteCount + head.contentLength == bytes.count)
                        #expect((head.method == .head) == hasNoBody)
                        let target = String(decoding: head.target, as: UTF8.self)
                        let label = "?_hl=1234abcd-" + hex(sequence, digits: 10)
                        #expect(target.contains("_hl=") == (ledger != nil))
                        if ledger != nil { #expect(target.contains(label)) }
                        #expect(!target.contains("?&") && !target.contains("&&"))
                        #expect(target.filter { $0 == "?" }.count <= 1 || name == "beacons")
                    }
                }
                #expect(requests.isWithinRoom)
            }
        }
    }

    /// The default schema is the judge of what is good and what is bad.
    @Test func `the product takes good hits and refuses bad ones`() throws {
        let judge = SchemaJudge()
        for (ledger, bad) in [(nil, 0.0), ("l", 0.0), (nil, 1.0), ("l", 1.0)] {
            let plan = try LoadPlan.builtIn("adtech").changed {
                $0.ledger = ledger
                $0.scenario?.bad.share = bad
                $0.scenario?.macros.share = 0.5
            }
            let requests = try Requests(plan)
            for sequence in 0..<4000 as Range<UInt64> {
                let result = judge.verdict(requests.request(sequence).bytes)
                #expect((result.kind == .bad) == (bad == 1), "\(requests.text(sequence))")
            }
        }
    }

    @Test func `each kind of bad hit is refused for its own reason`() throws {
        let judge = SchemaJudge()
        func reasons(_ change: (inout Scenario.BadHits) -> Void) throws -> Set<RowReason> {
            var scenario = Scenario(name: "x")
            scenario.bad = .init(
                share: 1, missingEvent: 0, emptyEvent: 0, misspeltEvent: 0, noQuery: 0)
            change(&scenario.bad)
            let requests = try Requests(.sample(scenario: scenario))
            return Set((0..<200).map { judge.verdict(requests.request($0).bytes).reason })
        }
        #expect(try reasons { $0.missingEvent = 1 } == [.missingRequired])
        #expect(try reasons { $0.emptyEvent = 1 } == [.emptyRequired])
        #expect(try reasons { $0.misspeltEvent = 1 } == [.missingRequired])
        #expect(try reasons { $0.noQuery = 1 } == [.missingRequired])
    }

    @Test func `a bare bad hit has no query, and with a ledger nothing but the label`() throws {
        var scenario = Scenario(name: "x")
        scenario.bad = .init(
            share: 1, missingEvent: 0, emptyEvent: 0, misspeltEvent: 0, noQuery: 1)
        let plan = LoadPlan.sample(scenario: scenario)
        #expect(try Requests(plan).target(5) == "/pixel.gif")
        #expect(
            try Requests(plan.changed { $0.ledger = "l" }).target(5)
                == "/pixel.gif?_hl=1234abcd-0000000005")
    }

    @Test func `shares and weights are what the scenario says`() throws {
        var scenario = try ScenarioFile.named("adtech").scenario
        scenario.headShare = 0.1
        scenario.macros.share = 0.2
        scenario.bad.share = 0.1
        scenario.batches.share = 0.1
        scenario.clicks.share = 0.05
        let requests = try Requests(.sample(scenario: scenario))
        let count = 40_000
        let texts = (0..<UInt64(count)).map { requests.text($0) }
        func share(_ isIn: (String) -> Bool) -> Double {
            Double(texts.count(where: isIn)) / Double(count)
        }
        func expect(_ found: Double, _ wanted: Double, _ what: String) {
            // Five standard deviations of as many draws, and what visitors of unequal weight add.
            let tolerance =
                5 * (wanted * (1 - wanted) / Double(count)).squareRoot() + 0.015 * wanted
            #expect(abs(found - wanted) < tolerance, "\(what): \(found), not \(wanted)")
        }
        expect(share { $0.hasPrefix("POST /batch ") }, 0.1, "batches")
        expect(share { $0.hasPrefix("GET /c?event=click") }, 0.05, "clicks")
        expect(share { $0.hasPrefix("HEAD ") }, 0.085, "HEAD")
        expect(share { $0.contains("Sec-Purpose: prefetch\r\n") }, 0.01, "prefetch")
        expect(
            share { text in AgentNames.bots.contains { text.contains($0) } }, 0.03, "bots")
        expect(share { $0.contains("event=load&") }, 0.85 * (0.9 - 0.18 / 14) * 0.6, "event")
        expect(share { $0.contains("\r\nReferer: https://") }, 0.97 * 0.9, "Referer")
        expect(share { $0.contains("\r\nCookie: hy_uid=") }, 0.97 * 0.4, "cookie")
        expect(share { $0.contains("=%%CACHEBUSTER%%") }, 0.85 * 0.9 * 0.2 / 14, "a macro")
        expect(share { $0.contains("&currency=") }, 0.85 * 0.02 * 0.99, "value")
    }

    @Test func `a visitor is known by one name and has one browser`() throws {
        let requests = try Requests(.builtIn("adtech"))
        var agentOf: [String: String] = [:]
        var seenTwice = 0
        for sequence in 0..<60_000 as Range<UInt64> {
            let text = requests.text(sequence)
            guard let uid = text.firstRange(of: "&uid="), !text.contains("uid=$") else { continue }
            let visitor = String(text[uid.upperBound...].prefix(36))
            #expect(!text.contains("hy_uid="))
            let agent = header("User-Agent", in: text)
            if let known = agentOf[visitor] {
                #expect(known == agent)
                seenTwice += 1
            }
            agentOf[visitor] = agent
        }
        #expect(seenTwice > 1000 && agentOf.count > 10_000)
        for visitor in agentOf.keys.prefix(1000) {
            let digits = Array(visitor.utf8)
            #expect(
                digits[14] == UInt8(ascii: "4") && "89ab".utf8.contains(digits[19]), "\(visitor)")
        }
    }

    @Test func `the pages of Referer and url are one`() throws {
        let requests = try Requests(.builtIn("adtech"))
        var both = 0
        for sequence in 0..<2000 as Range<UInt64> {
            let text = requests.text(sequence)
            guard let referer = header("Referer", in: text), text.contains("&url=https") else {
                continue
            }
            both += 1
            #expect(text.contains("&url=" + formEncoded(referer)))
        }
        #expect(both > 200)
    }

    @Test func `headers of the user replace the scenario's`() throws {
        let names = ["User-Agent", "referer", "COOKIE", "accept", "Accept-Language", "Host"]
        let plan = try LoadPlan.builtIn("adtech").changed {
            $0.headers = names.map { .init(name: $0, value: "mine") }
        }
        let requests = try Requests(plan)
        for sequence in 0..<500 as Range<UInt64> {
            let lines = requests.text(sequence).components(separatedBy: "\r\n").map {
                String($0.prefix { $0 != ":" }).lowercased()
            }
            for name in names {
                #expect(lines.count { $0 == name.lowercased() } == 1, "\(name)")
            }
        }
    }

    @Test func `a URL with a path of its own goes there, its query before the hit's`() throws {
        let plan = try LoadPlan.builtIn("pixel").changed {
            $0.target.path = "/t/p.gif?tenant=3"
            $0.ledger = "l"
        }
        #expect(
            try Requests(plan).target(0).hasPrefix(
                "/t/p.gif?_hl=1234abcd-0000000000&tenant=3&event="))
        let bare = plan.changed { $0.ledger = nil }
        #expect(try Requests(bare).target(0).hasPrefix("/t/p.gif?tenant=3&event="))
    }

    @Test func `a batch is a JSON array of as many events as the scenario says`() throws {
        var scenario = Scenario(name: "x")
        scenario.batches = .init(share: 1, path: "/b", eventsMin: 2, eventsMax: 4)
        scenario.events = [.init("say \"hi\" \\ bye", 1)]
        let requests = try Requests(.sample(scenario: scenario))
        var sizes: [Int: Int] = [:]
        for sequence in 0..<3000 as Range<UInt64> {
            let parts = requests.text(sequence).components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 2)
            let head = String(parts[0]) + "\r\n"
            #expect(header("Content-Length", in: head) == "\(parts[1].utf8.count)")
            #expect(header("Content-Type", in: head) == "application/json")
            let body = String(parts[1])
            #expect(body.hasPrefix("[{\"event\":\"say \\\"hi\\\" \\\\ bye\",\"uid\":\""))
            #expect(body.hasSuffix("\"}]"))
            sizes[body.components(separatedBy: "},{").count, default: 0] += 1
        }
        #expect(sizes.keys.sorted() == [2, 3, 4])
        #expect(sizes.values.allSatisfy { (900...1100).contains($0) })
    }

    @Test func `the largest batch stays within its room, a larger one is refused`() throws {
        var scenario = Scenario(name: "big")
        scenario.batches = .init(share: 1, path: "/b", eventsMin: 100, eventsMax: 100)
        let requests = try Requests(.sample(scenario: scenario))
        for sequence in 0..<200 as Range<UInt64> { _ = requests.request(sequence) }
        #expect(requests.isWithinRoom)
        let long = String(repeating: "\"", count: 64)
        scenario.events = [.init(long, 1)]
        scenario.placements = [.init(long, 1)]
        scenario.publishers = [.init(String(repeating: "a", count: 64), 1)]
        // Only with headers of the user's can it come to be too large.
        var plan = LoadPlan.sample(scenario: scenario)
        plan.headers = [.init(name: "X", value: "")]
        #expect(refusal(plan) == nil)
        while refusal(plan) == nil { plan.headers[0].value += String(repeating: "x", count: 50) }
        #expect(refusal(plan)?.hasPrefix("a request of scenario big may take") == true)
        plan.headers[0].value.removeLast(50)
        let most = try Requests(plan)
        for sequence in 0..<200 as Range<UInt64> { _ = most.request(sequence) }
        #expect(most.isWithinRoom)
    }

    @Test func `a scenario takes no method, no body, and no flaws`() throws {
        let plan = try LoadPlan.builtIn("adtech")
        #expect(refusal(plan.changed { $0.method = "POST" })?.contains("no method") == true)
        #expect(refusal(plan.changed { $0.body = [1] })?.contains("no body") == true)
        #expect(
            refusal(plan.changed { $0.scenario?.events = [] })?.hasPrefix("scenario adtech: ")
                == true)
    }

    @Test func `connection lengths have the scenario's mean and follow from the seed`() throws {
        var scenario = Scenario(name: "x")
        scenario.connection = .init(requests: 40, spread: .geometric)
        let requests = try Requests(.sample(scenario: scenario))
        let lengths = requests.lengths(0..<20_000).compactMap { $0 }
        #expect(lengths.count == 20_000 && lengths.allSatisfy { $0 >= 1 })
        let mean = Double(lengths.reduce(0, +)) / 20_000
        // The standard deviation of one is 39.5.
        #expect(abs(mean - 40) < 5 * 39.5 / 20_000.0.squareRoot())
        let firsts = Double(lengths.count { $0 == 1 }) / 20_000
        #expect(abs(firsts - 1.0 / 40) < 0.006)
        #expect(
            try Requests(.sample(scenario: scenario)).lengths(0..<100) == requests.lengths(0..<100))
        #expect(requests.lengths(0..<100, thread: 1) != requests.lengths(0..<100))
        scenario.connection = .init(requests: 7, spread: .fixed)
        #expect(try Requests(.sample(scenario: scenario)).lengths(0..<2) == [7, 7])
        scenario.connection = .init(requests: 0.5, spread: .geometric)
        #expect(try Requests(.sample(scenario: scenario)).lengths(0..<2) == [1, 1])
        scenario.connection.requests = 0
        #expect(try Requests(.sample(scenario: scenario)).lengths(0..<2) == [nil, nil])
        let overridden = LoadPlan.sample(scenario: scenario).changed {
            $0.requestsPerConnection = 5
        }
        #expect(try Requests(overridden).lengths(0..<2) == [5, 5])
    }

    private enum AgentNames {
        static let bots = [
            "Googlebot", "AdsBot", "Mediapartners", "bingbot", "AhrefsBot", "facebookexternalhit",
            "Slackbot", "HeadlessChrome", "curl/",
        ]
    }
}

func hex(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
}

/// What the worker would make of a request, by the default schema.
private final class SchemaJudge {
    private var encoder = RowEncoder(SchemaFile.standard.schema)
    private let row = UnsafeMutablePointer<UInt8>.allocate(capacity: RowEncoder.rowBytesMax)
    private let frame = UnsafeMutableRawPointer.allocate(byteCount: 64 << 10, alignment: 16)

    deinit {
        row.deallocate()
        frame.deallocate()
    }

    func verdict(_ request: [UInt8]) -> RowResult {
        request.withUnsafeBytes { bytes in
            var head = RequestHead()
            #expect(parseRequestHead(bytes, into: &head) == .complete)
            let address = [UInt8](repeating: 0, count: 16)
            let count = HitLayout.write(
                to: frame, route: HitLayout.Route.pixel, flags: 0, receivedAtMicroseconds: 0,
                address: address, requestTarget: head.target, userAgent: head.userAgent,
                referer: head.referer, visitorCookie: head.cookie)
            frame.storeBytes(of: (1, 2), toByteOffset: 8, as: (UInt64, UInt64).self)
            let hit = HitView(UnsafeRawBufferPointer(start: frame, count: count))
            return encoder.encode(hit!, into: row)
        }
    }
}
