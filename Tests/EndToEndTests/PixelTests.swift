import Foundation
import Testing

extension EndToEnd {
    /// One hit, from curl to a row.
    @Suite struct PixelTests {
        @Test func `a curl'd pixel is a GIF at once and a row soon`() throws {
            let cluster = try Cluster()
            let answer = try run(
                "curl",
                [
                    "-sS", "-D", "head", "-o", "body", "-A", "curl \"test\" é",
                    "-e", "https://example.com/page?a=1",
                    cluster.pixel + "?event=load&campaign=c%201&cb=7",
                ],
                in: cluster.folder)
            #expect(answer.status == 0, "\(answer.stderr)")
            let head = try String(
                contentsOf: cluster.folder.appendingPathComponent("head"), encoding: .utf8)
            let body = try Data(contentsOf: cluster.folder.appendingPathComponent("body"))
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.contains("Content-Type: image/gif\r\n"))
            #expect(head.contains("Content-Length: 43\r\n"))
            #expect(
                head.contains(
                    "Cache-Control: no-store, no-cache, must-revalidate, private, max-age=0\r\n"))
            #expect(head.contains("Cross-Origin-Resource-Policy: cross-origin\r\n"))
            #expect(body.count == 43)
            #expect(body.prefix(6) == Data("GIF89a".utf8))

            try cluster.flush()
            let rows = try cluster.query("select * from events")
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(row["event"] as? String == "load")
            #expect(row["campaign"] as? String == "c 1")
            #expect(row["user_agent"] as? String == "curl \"test\" é")
            #expect(row["referer"] as? String == "https://example.com/page?a=1")
            #expect(row["client_address"] as? String == "127.0.0.1")
            #expect((row["id"] as? String)?.count == 36)
            #expect((row["extra"] as? String)?.contains("\"cb\"") == true)
            let status = try cluster.status()
            #expect(status.ledger.accepted == 1)
            #expect(status.ledger.delivered == 1)
            #expect(status.ledger.closes)
            #expect(try cluster.stop() == 0)
        }

        @Test func `every alias answers, other paths are 404, other methods 405`() throws {
            let cluster = try Cluster()
            for path in ["/p.gif", "/1x1.gif", "/pixel.gif"] {
                #expect(try cluster.get("\(path)?event=load").stdout.hasPrefix("HTTP/1.1 200 OK"))
            }
            #expect(try cluster.get("/p.gi").stdout.hasPrefix("HTTP/1.1 404 "))
            #expect(try cluster.get("/p.gif/x").stdout.hasPrefix("HTTP/1.1 404 "))
            #expect(try cluster.get("/").stdout.hasPrefix("HTTP/1.1 404 "))
            #expect(try cluster.get("/p.gif", ["-X", "DELETE"]).stdout.hasPrefix("HTTP/1.1 405 "))
            #expect(
                try cluster.get("/p.gif?event=x", ["--data", "a=b"]).stdout.hasPrefix(
                    "HTTP/1.1 405 "))
            let head = try cluster.get("/p.gif?event=load", ["-I"])
            #expect(head.stdout.hasPrefix("HTTP/1.1 200 OK"))
            #expect(head.stdout.contains("Content-Length: 43"))
            #expect(head.stdout.hasSuffix("\r\n\r\n"))
            try cluster.flush()
            #expect(try cluster.count("select count(*) from events") == 4, "HEAD is a hit, too")
        }

        @Test func `a hit without its event is a bad row: 400 with the GIF, kept with its bytes`()
            throws
        {
            let cluster = try Cluster()
            let answer = try cluster.get("/p.gif?campaign=x&nonsense=%ff%00")
            #expect(answer.stdout.hasPrefix("HTTP/1.1 400 Bad Request"))
            #expect(answer.stdout.contains("Content-Type: image/gif"))
            #expect(try cluster.get("/p.gif?event=").stdout.hasPrefix("HTTP/1.1 400 "))
            try cluster.flush()
            #expect(try cluster.count("select count(*) from events") == 0)
            let bad = try cluster.query("select * from bad_events order by received_at")
            #expect(bad.count == 2)
            let raw = try #require(Data(base64Encoded: bad[0]["raw"] as? String ?? "-"))
            #expect(String(decoding: raw, as: UTF8.self) == "/p.gif?campaign=x&nonsense=%ff%00")
            #expect(bad[0]["reason"] as? String == "missing_required")
            #expect(bad[1]["reason"] as? String == "empty_required")
            let ledger = try cluster.status().ledger
            #expect(ledger.accepted == 2)
            #expect(ledger.bad == 2)
            #expect(ledger.closes)
        }

        @Test func `on_invalid = accept answers bad rows 200`() throws {
            let cluster = try Cluster(settings: ["on_invalid=accept"])
            #expect(try cluster.get("/p.gif?x=1").stdout.hasPrefix("HTTP/1.1 200 OK"))
            #expect(try cluster.status().ledger.bad == 1)
        }
    }
}
