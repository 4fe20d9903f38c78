import Core
import Testing

@testable import LoadTest

@Suite struct TrafficPlainTests {
    @Test func `a URL is asked for as it stands`() throws {
        let requests = try Requests(.sample("/pixel.gif?event=load"))
        #expect(
            requests.text(3) == """
                GET /pixel.gif?event=load HTTP/1.1\r
                Host: 127.0.0.1:8080\r
                User-Agent: hydrant-load/1\r
                \r

                """)
        #expect(requests.text(4) == requests.text(3))
        #expect(!requests.request(0).hasNoBody)
        #expect(requests.lengths(0..<3) == [nil, nil, nil])
    }

    @Test(arguments: [
        ("/p.gif", "/p.gif?_hl=1234abcd-0000000007"),
        ("/p.gif?", "/p.gif?_hl=1234abcd-0000000007"),
        ("/p.gif?a=1&b=?", "/p.gif?_hl=1234abcd-0000000007&a=1&b=?"),
        ("/", "/?_hl=1234abcd-0000000007"),
    ])
    func `with a ledger the label is the first parameter`(path: String, target: String) throws {
        let plan = LoadPlan.sample(path).changed { $0.ledger = "l" }
        #expect(try Requests(plan).target(7) == target)
        let posts = plan.changed {
            $0.method = "POST"
            $0.body = Array("{}".utf8)
        }
        #expect(try Requests(posts).target(7) == target)
    }

    @Test func `labels name every sequence there is`() throws {
        let requests = try Requests(LoadPlan.sample("/").changed { $0.ledger = "l" })
        #expect(requests.target(HitLabel.sequenceMax) == "/?_hl=1234abcd-ffffffffff")
    }

    @Test func `a body is sent with its length, and headers replace those of the same name`() throws
    {
        let plan = LoadPlan.sample("/batch").changed {
            $0.method = "POST"
            $0.body = Array("[1,2]".utf8)
            $0.headers = [
                .init(name: "host", value: "t.example"), .init(name: "user-agent", value: "me"),
                .init(name: "X-Two", value: "1"), .init(name: "X-Two", value: "2"),
            ]
        }
        #expect(
            try Requests(plan).text(0) == """
                POST /batch HTTP/1.1\r
                host: t.example\r
                user-agent: me\r
                X-Two: 1\r
                X-Two: 2\r
                Content-Length: 5\r
                \r
                [1,2]
                """)
        let empty = LoadPlan.sample("/batch").changed { $0.method = "PUT" }
        #expect(try Requests(empty).text(0).contains("\r\nContent-Length: 0\r\n"))
    }

    @Test func `the answer to HEAD has no body`() throws {
        let plan = LoadPlan.sample("/").changed { $0.method = "HEAD" }
        #expect(try Requests(plan).request(0).hasNoBody)
    }

    @Test func `an IPv6 host has brackets, a standard port is left out`() throws {
        var plan = LoadPlan.sample("/", host: "::1")
        #expect(header("Host", in: try Requests(plan).text(0)) == "[::1]:8080")
        plan.target.port = 80
        #expect(header("Host", in: try Requests(plan).text(0)) == "[::1]")
    }

    @Test func `what would break a request is refused`() {
        func plan(header name: String, _ value: String) -> LoadPlan {
            LoadPlan.sample().changed { $0.headers = [.init(name: name, value: value)] }
        }
        #expect(refusal(plan(header: "X", "a\r\nY: b"))?.contains("control character") == true)
        #expect(refusal(plan(header: "X Y", "a"))?.contains("name of a header") == true)
        #expect(refusal(plan(header: "", "a"))?.contains("name of a header") == true)
        #expect(refusal(plan(header: "content-length", "9"))?.contains("framed") == true)
        #expect(refusal(plan(header: "Transfer-Encoding", "chunked"))?.contains("framed") == true)
        #expect(refusal(plan(header: "X", "a\tb é")) == nil)
        #expect(refusal(.sample("/a b"))?.contains("is no path") == true)
        #expect(refusal(.sample("a"))?.contains("is no path") == true)
        #expect(
            refusal(LoadPlan.sample().changed { $0.method = "GE T" })?.contains("method") == true)
        let long = LoadPlan.sample().changed { $0.body = Array(repeating: 0, count: 65_000) }
        #expect(refusal(long) == nil)
        let tooLong = LoadPlan.sample().changed { $0.body = Array(repeating: 0, count: 65_500) }
        #expect(refusal(tooLong)?.contains("at most 65472 are sent") == true)
    }

    @Test func `the longest request stays within its room`() throws {
        let plan = LoadPlan.sample("/").changed {
            $0.method = "POST"
            $0.body = Array(repeating: 0x78, count: 65_000)
        }
        var most = plan
        while refusal(most) == nil { most.body.append(0x78) }
        most.body.removeLast()
        let requests = try Requests(most)
        #expect(requests.request(0).bytes.suffix(1) == [0x78])
        #expect(requests.isWithinRoom)
    }

    @Test func `samples are text for a terminal`() throws {
        let plan = LoadPlan.sample("/").changed {
            $0.method = "POST"
            $0.body = [0x1b, 0x41, 0xff]
        }
        #expect(
            try Requests(plan).samples(1) == [
                "POST / HTTP/1.1\nHost: 127.0.0.1:8080\nUser-Agent: hydrant-load/1\n"
                    + "Content-Length: 3\n\n\\x1bA\\xff"
            ])
    }

    @Test func `a fixed number of requests a connection`() throws {
        let plan = LoadPlan.sample().changed { $0.requestsPerConnection = 3 }
        #expect(try Requests(plan).lengths(0..<4) == [3, 3, 3, 3])
    }
}
