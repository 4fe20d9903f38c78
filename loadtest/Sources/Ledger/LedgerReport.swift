import Core
import Foundation

/// What a ledger's findings say, for people and for programs.
enum LedgerReport {
    private static let width = 80
    /// The column that numbers end in.
    private static let numbersEnd = 37

    /// Lines of at most 80 columns, but where a path is longer.
    static func text(_ findings: LedgerFindings) -> String {
        var lines = title(findings)
        lines.append("")
        lines += sentLines(findings)
        lines.append("")
        lines += promisedLines(findings)
        lines.append("")
        lines += besides(findings)
        lines += lostLines(findings)
        lines += list("not wholly read, so that \"lost\" may be too high", findings.unreadable)
        if findings.unrecorded > 0 {
            lines += list(
                "not all of the runs",
                ["rows are of these runs and in no ledger: one is cut short, or another is missing"]
            )
        }
        lines += list("notes", findings.notes)
        return lines.joined(separator: "\n") + "\n"
    }

    /// JSON with sorted keys, as in results.
    static func json(_ findings: LedgerFindings) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(findings), as: UTF8.self) + "\n"
    }

    // MARK: Parts

    private static func title(_ findings: LedgerFindings) -> [String] {
        let runs =
            switch findings.runs.count {
            case 1: "run \(findings.runs[0])"
            case 2...4: "runs " + findings.runs.joined(separator: ", ")
            default: "\(findings.runs.count) runs"
            }
        return [
            "Ledger of \(runs)",
            "from \(utc(microseconds: findings.startedAtMicroseconds)), "
                + "held against \(NumberText.grouped(findings.rowsRead)) rows",
        ]
    }

    private static func sentLines(_ findings: LedgerFindings) -> [String] {
        let parts: [(String, UInt64, String)] = [
            ("acked", findings.acked, "2xx, 3xx: promised"),
            ("acked as bad", findings.ackedBad, "400: promised as a bad row"),
            ("refused", findings.refused, "503: not promised"),
            ("other answers", findings.otherAnswers, "not taken for a hit"),
            ("unanswered", findings.unanswered, "no whole answer: not promised"),
        ]
        return account("sent", findings.sent, parts)
    }

    private static func promisedLines(_ findings: LedgerFindings) -> [String] {
        let parts: [(String, UInt64, String)] = [
            ("delivered", findings.delivered, "in objects or the warehouse"),
            ("spooled", findings.spooled, "on their way: spool, Firehose's buffers"),
            ("bad", findings.bad, "as bad rows"),
            ("lost", findings.lost, findings.lost == 0 ? "" : "promised, and nowhere"),
        ]
        return account("promised", findings.promised, parts)
    }

    /// Parts, a rule, and the sum if it comes out.
    private static func account(
        _ name: String, _ sum: UInt64, _ parts: [(String, UInt64, String)]
    ) -> [String] {
        let counted = parts.reduce(0) { $0 + $1.1 }
        let verdict =
            counted == sum ? "the sum: it closes" : "DOES NOT CLOSE: \(NumberText.grouped(counted))"
        return parts.map { row($0.0, $0.1, $0.2) }
            + ["  " + String(repeating: "-", count: numbersEnd - 2), row(name, sum, verdict)]
    }

    private static func besides(_ findings: LedgerFindings) -> [String] {
        var lines = [
            row("duplicated", findings.duplicated, "rows too many, of these:"),
            row("  re-sent", findings.resent, "with the same id: delivered again"),
            row("  retried", findings.retried, "with an own id: taken again"),
            row("kept anyway", findings.unpromisedKept, "not promised, and yet stored"),
        ]
        if findings.unpromisedKept > 0 {
            lines.append(row("  refused", findings.refusedKept, "of these"))
            lines.append(row("  unanswered", findings.unansweredKept, "of these"))
        }
        if findings.badSpooled > 0 {
            lines.append(row("bad, on their way", findings.badSpooled, "not delivered yet"))
        }
        lines.append(row("unrecorded", findings.unrecorded, "of these runs, but in no ledger"))
        lines.append(row("foreign", findings.foreign, "rows of nothing named here"))
        return lines
    }

    private static func lostLines(_ findings: LedgerFindings) -> [String] {
        if findings.lost == 0 { return [] }
        let shown = UInt64(findings.lostExamples.count)
        let head = shown < findings.lost ? "lost, the first \(shown)" : "lost"
        return list(head, findings.lostExamples)
    }

    private static func list(_ head: String, _ items: [String]) -> [String] {
        items.isEmpty ? [] : ["", "\(head):"] + items.flatMap(wrapped)
    }

    private static func row(_ name: String, _ number: UInt64, _ words: String) -> String {
        let digits = NumberText.grouped(number)
        let gap = max(1, numbersEnd - 2 - name.count - digits.count)
        let line = "  " + name + String(repeating: " ", count: gap) + digits
        return words.isEmpty ? line : line + "  " + words
    }

    /// An item of a list, broken between words.
    private static func wrapped(_ item: String) -> [String] {
        var lines: [String] = []
        var line = "  -"
        for word in item.split(separator: " ") {
            if line.count + 1 + word.count > width, line.count > 4 {
                lines.append(line)
                line = "   "
            }
            line += " " + word
        }
        return lines + [line]
    }

    // MARK: Numbers

    /// "2026-11-23 07:30:00.123 UTC".
    static func utc(microseconds: UInt64) -> String {
        let time = CivilTime(unixSeconds: Int64(clamping: microseconds / 1_000_000))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let thousandths = microseconds / 1000 % 1000
        let fraction = String("\(1000 + thousandths)".dropFirst())
        return "\(time.year)-\(two(time.month))-\(two(time.day)) "
            + "\(two(time.hour)):\(two(time.minute)):\(two(time.second)).\(fraction) UTC"
    }
}
