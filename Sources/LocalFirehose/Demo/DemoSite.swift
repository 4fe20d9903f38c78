import Core

/// Answers GET: a short help text, the demo page, and its rows.
final class DemoSite {
    /// What the page needs to know of the cluster.
    struct Options {
        /// Scheme, host and port of the router, "http://127.0.0.1:8080".
        var routerOrigin: String
        /// The pixel's path there.
        var pixelPath: String = "/1x1.gif"
        var goodTable: String
        var badTable: String
    }

    private let options: Options
    /// Nil when nothing is loaded: the sink is not the warehouse.
    private let rows: DemoRows?

    init(options: Options, warehousePath: String?) {
        self.options = options
        rows = warehousePath.map {
            DemoRows(path: $0, tables: [options.goodTable, options.badTable])
        }
    }

    func answer(_ request: HTTPRequest) -> HTTPAnswer {
        let head = request.head
        guard head.method == "GET" else {
            var answer = HTTPAnswer.text(405, "GET only; calls of the Firehose API are POST /.\n")
            answer.fields.append(.init(name: "Allow", value: "GET, POST"))
            return answer
        }
        if head.path == "/" { return .text(200, Self.help) }
        guard head.path == "/demo" || head.path == "/demo/rows" else {
            return .text(404, "no such page; there are /demo and /\n")
        }
        // A page of another site could reach this port under a name of its own (DNS rebinding): it
        // would send that name as the Host.
        guard request.isLoopback, Self.isLoopback(host: head.header("host") ?? "") else {
            return .text(
                403, "The demo is for this machine only: open it as http://127.0.0.1:PORT/demo\n")
        }
        return head.path == "/demo" ? page() : rowsAnswer(head)
    }

    private static let help = """
        Hydrant's local Firehose.

        POST /     the Amazon Data Firehose API (PutRecord, PutRecordBatch, CreateDeliveryStream,
                   DescribeDeliveryStream, ListDeliveryStreams), signed
        GET /demo  fires pixels and shows the rows as they arrive in the warehouse

        """

    static func isLoopback(host: String) -> Bool {
        let names = ["127.0.0.1", "localhost", "[::1]"]
        return names.contains { name in
            host == name
                || host.hasPrefix(name + ":")
                    && host.dropFirst(name.count + 1).utf8.allSatisfy {
                        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    }
        }
    }

    private func page() -> HTTPAnswer {
        let nonce = lowerHex(Array(Sha256.digest(randomUUID()).prefix(16)))
        var answer = HTTPAnswer(
            status: 200, contentType: "text/html; charset=utf-8",
            body: Array(demoPage(options, nonce: nonce).utf8))
        answer.fields = [
            .init(
                name: "Content-Security-Policy",
                value: "default-src 'none'; img-src data: \(options.routerOrigin); "
                    + "script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                    + "frame-ancestors 'none'"),
            .init(name: "X-Content-Type-Options", value: "nosniff"),
            .init(name: "Cache-Control", value: "no-store"),
        ]
        return answer
    }

    private func rowsAnswer(_ head: APIRequestHead) -> HTTPAnswer {
        // Only the page itself may read: other sites' scripts are told apart by this header.
        if let site = head.header("sec-fetch-site"), site != "same-origin", site != "none" {
            return .text(403, "for the demo page only\n")
        }
        var answer = HTTPAnswer(status: 200, contentType: "application/json", body: [])
        answer.fields = [
            .init(name: "X-Content-Type-Options", value: "nosniff"),
            .init(name: "Cache-Control", value: "no-store"),
        ]
        guard let rows else {
            answer.body =
                JSONValue.object([
                    "error": .text("nothing is loaded: the sink is not \"warehouse\"")
                ]).bytes
            return answer
        }
        do throws(DatabaseFailure) {
            answer.body = try rows.json()
        } catch {
            answer.status = 503
            answer.body = JSONValue.object(["error": .text("\(error)")]).bytes
        }
        return answer
    }
}
