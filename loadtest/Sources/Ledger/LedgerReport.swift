import Core
import Foundation

/// What a ledger's findings say, for people and for programs.
enum LedgerReport {
    private static let width = 80

    /// Lines of at most 80 columns, but where a path is longer.
    static func text(_ findings: LedgerFindings) -> String {
        var lines: [String] = []
        lines.append(title(findings))
        lines.append("")
        lines += sentLines(findings)
        lines.append("")
        lines += promisedLines(findings)
        lines.append("")
        lines += besides(findings)
        lines += lostLines(findings)
        lines += list("could not be read, so lost is at most what it says", findings.unreadable)
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

    private static func title(_ findings: LedgerFindings) -> String {
        let runs =
            switch findings.runs.count {
            case 1: "run \(findings.runs[0])"
            case 2...4: "runs " + findings.runs.joined(separator: ", ")
            default: "\(findings.runs.count) runs"
            }
        return "Ledger of \(runs), from \(utc(microseconds: findings.startedAtMicroseconds))"
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
        let bad =
            findings.badSpooled == 0
            ? "as bad rows" : "as bad rows, \(grouped(findings.badSpooled)) of them on their way"
        let parts: [(String, UInt64, String)] = [
            ("delivered", findings.delivered, "in objects or the warehouse"),
            ("spooled", findings.spooled, "on their way: spool, Firehose's buffers"),
            ("bad", findings.bad, bad),
            ("lost", findings.lost, findings.lost == 0 ? "" : "promised, and nowhere"),
        ]
        return account("promised", findings.promised, parts)
    }

    /// A sum and its parts, and whether it comes out.
    private static func account(
        _ name: String, _ sum: UInt64, _ parts: [(String, UInt64, String)]
    ) -> [String] {
        var lines = parts.map { row("  " + $0.0, $0.1, $0.2) }
        let counted = parts.reduce(0) { $0 + $1.1 }
        lines.append("  " + String(repeating: "-", count: 35))
        lines.append(
            row(
                "  " + name, sum,
                counted == sum ? "= the sum: closes" : "DOES NOT CLOSE: parts \(grouped(counted))"))
        return lines
    }

    private static func besides(_ findings: LedgerFindings) -> [String] {
        var kept = "not promised, and yet there is a row"
        if findings.refusedKept > 0 {
            kept = "not promised, yet stored; \(grouped(findings.refusedKept)) were refused"
        }
        return [
            row("  duplicated", findings.duplicated, "rows too many, of these:"),
            row("    re-sent", findings.resent, "same id: delivered again"),
            row("    retried", findings.retried, "own id: the request was taken again"),
            row("  kept anyway", findings.unpromisedKept, kept),
            row("  unrecorded", findings.unrecorded, "of these runs, in none of the ledgers"),
            row("  foreign", findings.foreign, "rows of nothing named here"),
        ]
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
        let digits = grouped(number)
        let gap = max(1, 37 - name.count - digits.count)
        let line = name + String(repeating: " ", count: gap) + digits
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

    /// "1,234,567"
    static func grouped(_ number: UInt64) -> String {
        var digits = Array(String(number))
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: at)
            at -= 3
        }
        return String(digits)
    }
}
