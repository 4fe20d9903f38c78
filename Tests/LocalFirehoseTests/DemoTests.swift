import Core
import Glibc
import TestSupport
import Testing

@testable import LocalFirehose

@Suite struct DemoTests {
    let folder = TemporaryFolder()
    let counters = OwnCounters()
    let options = DemoSite.Options(
        routerOrigin: "http://127.0.0.1:8080", goodTable: "events", badTable: "bad_events")

    private func get(
        _ path: String, host: String = "127.0.0.1:8090", isLoopback: Bool = true,
        fields: [SigV4.Header] = [], method: String = "GET", warehouse: Bool = true
    ) -> HTTPAnswer {
        let site = DemoSite(
            options: options, warehousePath: warehouse ? folder.path + "/warehouse.db" : nil)
        return site.answer(
            HTTPRequest(
                head: APIRequestHead(
                    method: method, path: path, query: "",
                    headers: [SigV4.Header("Host", host)] + fields),
                body: UnsafeRawBufferPointer(start: nil, count: 0), bodyHash: "",
                isLoopback: isLoopback))
    }

    @Test func `rows come newest first, hostile text escaped so that it cannot be markup`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + row(2, event: "<script>alert(1)</script>&"), to: "good")
        store.finishAll()
        let answer = get("/demo/rows")
        #expect(answer.status == 200 && answer.contentType == "application/json")
        #expect(answer.fields.contains(.init(name: "X-Content-Type-Options", value: "nosniff")))
        #expect(
            !answer.body.contains(UInt8(ascii: "<")) && !answer.body.contains(UInt8(ascii: "&")))
        let table = JSONValue(parsing: answer.body)?["tables"]?["events"]
        #expect(table?["last"] == .integer(2))
        guard case .array(let rows)? = table?["rows"], case .array(let newest) = rows[0] else {
            Issue.record("no rows")
            return
        }
        #expect(rows.count == 2)
        #expect(newest[0...1] == [.text("2"), .text("<script>alert(1)</script>&")])
        #expect(newest[2] == .null)
    }

    @Test func `at most fifty rows are given, and long values cut`() throws {
        let store = try makeStore(folder, counters: counters)
        for id in 0..<60 { try store.append(row(id), to: "good") }
        try store.append(row(60, event: String(repeating: "e", count: 500)), to: "good")
        store.finishAll()
        let table = JSONValue(parsing: get("/demo/rows").body)?["tables"]?["events"]
        guard case .array(let rows)? = table?["rows"], case .array(let newest) = rows[0] else {
            Issue.record("no rows")
            return
        }
        #expect(rows.count == 50)
        #expect(newest[1].text?.count == 401)
        #expect(table?["last"] == .integer(61))
    }

    @Test func `uncommitted rows are not shown`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.warehouse!.begin()
        let line = Array(row(1).dropLast().utf8) + [UInt8](repeating: 0, count: 64)
        try line.withUnsafeBytes {
            let text = UnsafeRawBufferPointer(rebasing: $0[..<(line.count - 64)])
            let rejection = try store.warehouse!.insert(text, into: .good)
            #expect(rejection == nil)
        }
        let table = JSONValue(parsing: get("/demo/rows").body)?["tables"]?["events"]
        #expect(table?["rows"] == .array([]))
    }

    @Test(arguments: [
        "evil.example", "127.0.0.1.evil.example", "localhost:80x", "", "[::1", "localhost:80:90",
    ])
    func `a foreign Host is refused: it may be a rebound name`(host: String) {
        #expect(get("/demo", host: host).status == 403)
        #expect(get("/demo/rows", host: host).status == 403)
    }

    @Test func `loopback names pass, other machines and other sites do not`() {
        for host in ["127.0.0.1", "localhost:8090", "[::1]:8090"] {
            #expect(get("/demo", host: host).status == 200)
        }
        #expect(get("/demo", isLoopback: false).status == 403)
        #expect(get("/demo/rows", isLoopback: false).status == 403)
        let foreign = [SigV4.Header("Sec-Fetch-Site", "cross-site")]
        #expect(get("/demo/rows", fields: foreign).status == 403)
        #expect(get("/demo", method: "DELETE").status == 405)
        #expect(get("/nothing").status == 404)
        #expect(get("/").status == 200)
    }

    @Test func `the page allows scripts and styles by nonce only and images from the router only`()
        throws
    {
        let answer = get("/demo")
        let page = String(decoding: answer.body, as: UTF8.self)
        let policy = try #require(
            answer.fields.first { $0.name == "Content-Security-Policy" }?.value)
        let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/)?.1)
        #expect(policy.hasPrefix("default-src 'none'; img-src data: http://127.0.0.1:8080; "))
        #expect(!policy.contains("unsafe"))
        #expect(page.contains("<script nonce=\"\(nonce)\">"))
        #expect(page.contains("<style nonce=\"\(nonce)\">"))
        #expect(page.contains("\"pixel\":\"http://127.0.0.1:8080/1x1.gif\""))
        for ban in [
            "innerHTML", "insertAdjacentHTML", "document.write", "outerHTML", " onclick=",
            "style=\"",
        ] {
            #expect(!page.contains(ban), "\(ban)")
        }
        #expect(get("/demo").body != answer.body, "a nonce is for one page")
    }

    @Test func `without a warehouse the rows say why there are none`() {
        let answer = get("/demo/rows", warehouse: false)
        #expect(JSONValue(parsing: answer.body)?["error"]?.text?.contains("sink") == true)
    }
}
