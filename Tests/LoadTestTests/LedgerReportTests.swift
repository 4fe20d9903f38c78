import Foundation
import Testing

@testable import LoadTest

@Suite struct LedgerReportTests {
    private var findings: LedgerFindings {
        var findings = LedgerFindings()
        findings.sent = 1_000_000
        findings.acked = 998_000
        findings.ackedBad = 1_500
        findings.refused = 300
        findings.otherAnswers = 10
        findings.unanswered = 190
        findings.delivered = 990_000
        findings.spooled = 7_998
        findings.bad = 1_500
        findings.badSpooled = 12
        findings.lost = 2
        findings.unpromisedKept = 5
        findings.refusedKept = 4
        findings.unansweredKept = 1
        findings.resent = 7
        findings.retried = 3
        findings.unrecorded = 1
        findings.foreign = 1_234
        findings.lostExamples = [
            "0a0b0c0d-000000000f, answered 200, sent 2026-11-23 01:02:03.138 UTC",
            "0a0b0c0d-0000000010, answered 400, sent 2026-11-23 01:02:03.139 UTC",
        ]
        findings.notes = [
            "3 objects hold what Firehose could not process or deliver (processing-failed and the "
                + "like): their rows count as delivered"
        ]
        findings.unreadable = ["var/s3/a.gz: the gzip stream breaks off"]
        findings.runs = ["0a0b0c0d"]
        findings.startedAtMicroseconds = 1_795_395_723_123_456
        findings.rowsRead = 1_001_244
        return findings
    }

    @Test func `the report reads like a ledger that closes`() {
        #expect(
            LedgerReport.text(findings) == """
                Ledger of run 0a0b0c0d
                from 2026-11-23 01:02:03.123 UTC, held against 1,001,244 rows

                  acked                       998,000  2xx, 3xx: promised
                  acked as bad                  1,500  400: promised as a bad row
                  refused                         300  503: not promised
                  other answers                    10  not taken for a hit
                  unanswered                      190  no whole answer: not promised
                  -----------------------------------
                  sent                      1,000,000  the sum: it closes

                  delivered                   990,000  in objects or the warehouse
                  spooled                       7,998  on their way: spool, Firehose's buffers
                  bad                           1,500  as bad rows
                  lost                              2  promised, and nowhere
                  -----------------------------------
                  promised                    999,500  the sum: it closes

                  duplicated                       10  rows too many, of these:
                    re-sent                         7  with the same id: delivered again
                    retried                         3  with an own id: taken again
                  kept anyway                       5  not promised, and yet stored
                    refused                         4  of these
                    unanswered                      1  of these
                  bad, on their way                12  not delivered yet
                  unrecorded                        1  of these runs, but in no ledger
                  foreign                       1,234  rows of nothing named here

                lost:
                  - 0a0b0c0d-000000000f, answered 200, sent 2026-11-23 01:02:03.138 UTC
                  - 0a0b0c0d-0000000010, answered 400, sent 2026-11-23 01:02:03.139 UTC

                not wholly read, so that "lost" may be too high:
                  - var/s3/a.gz: the gzip stream breaks off

                not all of the runs:
                  - rows are of these runs and in no ledger: one is cut short, or another is
                    missing

                notes:
                  - 3 objects hold what Firehose could not process or deliver (processing-failed
                    and the like): their rows count as delivered

                """)
    }

    @Test func `a sum that does not come out is said`() {
        var findings = findings
        findings.acked += 1
        #expect(!findings.closes)
        #expect(LedgerReport.text(findings).contains("DOES NOT CLOSE"))
    }

    @Test func `no line is longer than 80 columns, whatever the numbers`() {
        var findings = findings
        findings.sent = 999_999_999_999
        findings.acked = 999_999_999_999
        findings.badSpooled = 999_999_999
        findings.refusedKept = 999_999_999
        findings.runs = (0..<4).map { "0a0b0c0\($0)" }
        for line in LedgerReport.text(findings).split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
        #expect(!LedgerReport.text(findings).contains("\u{1B}"))
    }

    @Test func `the JSON holds everything`() throws {
        let json = try LedgerReport.json(findings)
        let read = try JSONDecoder().decode(LedgerFindings.self, from: Data(json.utf8))
        #expect(read == findings)
    }
}
