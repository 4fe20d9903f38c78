import Config
import Core
import Platform

/// Answers `/_hydrant/faults`, for this machine only: GET shows the plan and what it did, POST sets
/// another, DELETE ends it.
final class FaultAdmin {
    static let path = "/_hydrant/faults"
    private static let bodyBytesMax = 256 << 10

    private let desk: FaultDesk
    private let isTLS: Bool
    private let log: (String) -> Void

    init(desk: FaultDesk, isTLS: Bool, log: @escaping (String) -> Void) {
        self.desk = desk
        self.isTLS = isTLS
        self.log = log
    }

    func answer(_ request: HTTPRequest, nowMs: UInt64) -> HTTPAnswer {
        // A page of another site could reach this port under a name of its own (DNS rebinding), or
        // post to it unseen; both show.
        guard request.isLoopback,
            DemoSite.isLoopback(host: request.head.header("host") ?? ""),
            request.head.header("origin") == nil
        else {
            return .text(
                403, "Faults are for programs on this machine: call 127.0.0.1, without Origin.\n")
        }
        switch request.head.method {
        case "GET": return report(nowMs: nowMs)
        case "POST": return set(request, nowMs: nowMs)
        case "DELETE":
            log("fault plan cleared: no faults from here on")
            desk.set(FaultEntries(), nowMs: nowMs)
            return report(nowMs: nowMs)
        default:
            var answer = HTTPAnswer.text(405, "GET, POST or DELETE.\n")
            answer.fields.append(.init(name: "Allow", value: "GET, POST, DELETE"))
            return answer
        }
    }

    // MARK: Setting

    private func set(_ request: HTTPRequest, nowMs: UInt64) -> HTTPAnswer {
        guard request.body.count <= Self.bodyBytesMax else {
            return .text(413, "A fault plan has at most 256 KiB.\n")
        }
        let bytes = Array(request.body)
        do throws(Refusal) {
            let entries = try Self.read(bytes)
            if let flaw = entries.flaw(whereTLS: isTLS) { throw Refusal([flaw]) }
            desk.set(entries, nowMs: nowMs)
            let names = entries.faults.map(\.name).joined(separator: ", ")
            log("fault plan set: \(names.isEmpty ? "no faults" : names)")
            return report(nowMs: nowMs)
        } catch {
            return .text(400, error.text)
        }
    }

    private struct Refusal: Error {
        var text: String

        init(_ text: String) { self.text = text }

        init(_ flaws: [FaultEntries.Flaw]) {
            text =
                flaws.map { flaw in
                    let place = flaw.entry.map { "fault \($0 + 1): " } ?? ""
                    return "error: \(place)\(flaw.message)\n  hint: \(flaw.hint)\n"
                }.joined()
        }
    }

    /// JSON when it begins with a brace, as no TOML does.
    private static func read(_ bytes: [UInt8]) throws(Refusal) -> FaultEntries {
        guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else {
            do throws(ConfigProblems) {
                return try FaultFile.read(bytes, file: "body")
            } catch {
                throw Refusal(error.render(color: false))
            }
        }
        guard let json = JSONValue(parsing: bytes) else {
            throw Refusal(
                "error: the body is no JSON\n  hint: {\"fault\":[{\"kind\":\"status\"}]}\n")
        }
        var text = FaultText(top: [], entries: [])
        for field in json.fields {
            guard field.key == "fault" else {
                text.top.append((field.key, settingValue(field.value)))
                continue
            }
            guard case .array(let list) = field.value else {
                throw Refusal("error: fault must be a list\n  hint: \"fault\": [{…}, {…}]\n")
            }
            text.entries = list.map { $0.fields.map { ($0.key, settingValue($0.value)) } }
        }
        let (entries, flaws) = FaultEntries.read(text)
        if !flaws.isEmpty { throw Refusal(flaws) }
        return entries
    }

    private static func settingValue(_ value: JSONValue) -> SettingValue {
        switch value {
        case .null: .other("null")
        case .bool(let flag): .boolean(flag)
        case .integer(let number): .integer(number)
        case .double(let number): .real(number)
        case .text(let text): .text(text)
        case .array(let values): .list(values.map(settingValue))
        case .object: .other("an object")
        }
    }

    // MARK: Showing

    private func report(nowMs: UInt64) -> HTTPAnswer {
        let entries = desk.plan.entries.map { entry in
            JSONValue.object([
                "name": .text(entry.fault.name), "kind": .text(entry.fault.kind.rawValue),
                "streams": .text(entry.fault.streams),
                "stored": .bool(entry.fault.storesRecords),
                "matched": .integer(Int64(clamping: entry.tally.matched)),
                "fired": .integer(Int64(clamping: entry.tally.fired)),
                "records_stored": .integer(Int64(clamping: entry.tally.recordsStored)),
                "records_untold": .integer(Int64(clamping: entry.tally.recordsUntold)),
                "records_refused": .integer(Int64(clamping: entry.tally.recordsRefused)),
            ])
        }
        let sinceMs = desk.isEmpty ? 0 : nowMs - min(desk.setAtMs, nowMs)
        let json = JSONValue.object([
            "seed": .integer(Int64(clamping: desk.plan.seed)),
            "since_ms": .integer(Int64(clamping: sinceMs)), "faults": .array(entries),
        ])
        var answer = HTTPAnswer(
            status: 200, contentType: "application/json", body: json.bytes + [0x0a])
        answer.fields = [
            .init(name: "X-Content-Type-Options", value: "nosniff"),
            .init(name: "Cache-Control", value: "no-store"),
        ]
        return answer
    }
}
