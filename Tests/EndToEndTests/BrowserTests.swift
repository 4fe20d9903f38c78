import Foundation
import Testing

extension EndToEnd {
    /// A real browser opens the demo page.
    @Suite struct BrowserTests {
        @Test
        func `Chromium's pixels are rows with its User-Agent and Referer, and the page shows them`()
            throws
        {
            let cluster = try Cluster()
            let agent = "Mozilla/5.0 (X11; Linux x86_64) HydrantTest/1.0 <b>bold</b> \"quoted\""
            let page = "http://127.0.0.1:\(cluster.localPort)/demo#play"
            let shown = try run(
                "chromium",
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--user-agent=\(agent)", "--virtual-time-budget=15000",
                    "--user-data-dir=\(cluster.folder.appendingPathComponent("chromium").path)",
                    "--dump-dom", page,
                ], timeoutSeconds: 90)
            #expect(shown.status == 0, "\(shown.stderr.suffix(2000))")
            try cluster.flush()
            let rows = try cluster.query("select event, user_agent, referer from events")
            #expect(rows.count == 4, "load, impression, click, hostile: \(rows)")
            #expect(rows.allSatisfy { $0["user_agent"] as? String == agent })
            #expect(
                rows.allSatisfy {
                    ($0["referer"] as? String)?.hasPrefix(
                        "http://127.0.0.1:\(cluster.localPort)/") == true
                })
            let events = Set(rows.compactMap { $0["event"] as? String })
            #expect(events == ["load", "impression", "click", "hostile"], "the macro is replaced")
            #expect(try cluster.count("select count(*) from bad_events") == 1, "the invalid hit")

            // A second visit sees the first one's rows, every field as text.
            let again = try run(
                "chromium",
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--virtual-time-budget=15000",
                    "--user-data-dir=\(cluster.folder.appendingPathComponent("chromium2").path)",
                    "--dump-dom", page,
                ], timeoutSeconds: 90)
            #expect(
                again.stdout.contains("&lt;b&gt;bold&lt;/b&gt;"),
                "the agent's markup is shown as text")
            #expect(!again.stdout.contains("<b>bold</b>"))
        }
    }
}
