import Foundation
import TestSupport
import Testing

@testable import LoadTest

/// A real browser opens what the report maker makes.
@Suite(.serialized) struct ReportBrowserTests {
    @Test func `Chromium shows the report, complains of nothing and asks for nothing`() throws {
        let visit = try Visit(HTMLReport(.rich).html)
        #expect(visit.dom.contains("<h1>http://127.0.0.1:8080/p.gif?event=load</h1>"))
        #expect(visit.dom.components(separatedBy: "<svg ").count == 7)
        #expect(visit.console.isEmpty, "\(visit.console)")
        #expect(visit.foreignRequests.isEmpty, "\(visit.foreignRequests)")
    }

    @Test func `Chromium shows the comparison, complains of nothing and asks for nothing`() throws {
        let visit = try Visit(ReportHTMLTests.comparison)
        #expect(visit.dom.contains("before.json"))
        #expect(visit.console.isEmpty, "\(visit.console)")
        #expect(visit.foreignRequests.isEmpty, "\(visit.foreignRequests)")
    }

    /// So that the two above can fail.
    @Test func `a page that complains and asks is caught`() throws {
        let visit = try Visit(
            "<!doctype html><title>x</title><img src=\"http://127.0.0.1:9/pixel.gif\">"
                + "<script>console.error('planted'); nowhere()</script>")
        #expect(visit.console.contains { $0.contains("planted") })
        #expect(visit.console.contains { $0.contains("nowhere is not defined") })
        #expect(visit.foreignRequests.contains("http://127.0.0.1:9/pixel.gif"))
    }

    /// One page, opened once.
    private struct Visit {
        let dom: String
        /// What the page said on the console, errors of scripts and of loading included.
        let console: [String]
        /// Addresses that the page asked over the network. What Chromium asks for itself, as for the
        /// time and for updates, has no page that began it.
        let foreignRequests: [String]

        init(_ html: String) throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("hydrant-report-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
            try html.write(toFile: path("page.html"), atomically: true, encoding: .utf8)
            let browser = try SpawnedProcess(
                "chromium",
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--disable-extensions",
                    "--no-proxy-server", "--enable-logging=stderr", "--virtual-time-budget=3000",
                    "--log-net-log=\(path("net.json"))", "--user-data-dir=\(path("profile"))",
                    "--dump-dom", "file://\(path("page.html"))",
                ], output: path("dom"), errors: path("log"))
            #expect(browser.waitUntilExit(withinSeconds: 90))
            #expect(browser.exitStatus == 0)
            dom = try String(contentsOfFile: path("dom"), encoding: .utf8)
            console = try String(contentsOfFile: path("log"), encoding: .utf8)
                .split(separator: "\n").map(String.init).filter { $0.contains("CONSOLE") }
            let log = try String(contentsOfFile: path("net.json"), encoding: .utf8)
            foreignRequests = log.split(separator: "\n").flatMap { event in
                event.contains("\"initiator\":\"not an origin\"")
                    || !event.contains("\"initiator\"")
                    ? [] : event.matches(of: #/"url":"([^"]*)"/#).map { String($0.1) }
            }
        }
    }
}
