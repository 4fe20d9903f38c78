import Core
import Foundation

/// Every knob of a run: what a reader needs to make it again.
enum PlanRows {
    typealias Row = (name: String, value: String)

    static func rows(_ plan: LoadPlan) -> [Row] {
        var rows: [Row] = [
            ("target", PlanWords.url(plan.target)),
            ("method", plan.method),
            ("model", plan.model.rawValue),
            ("rate", plan.model == .open ? rate(plan.rate) : "as fast as answers come"),
            ("arrivals", plan.arrivals.rawValue),
            ("duration", plan.seconds.map(NumberText.duration(seconds:)) ?? "until all are sent"),
            ("requests", plan.requests.map(NumberText.grouped) ?? "as the duration gives"),
            ("connections", "\(plan.connections)"),
            ("processes × threads", "\(plan.workers) × \(plan.threads)"),
            ("in flight on one", "\(plan.pipeline)"),
            ("requests per connection", plan.requestsPerConnection.map { "\($0)" } ?? "no limit"),
            ("timeout", "\(NumberText.trimmed(plan.timeoutSeconds)) s"),
            ("backlog at most", NumberText.grouped(UInt64(max(plan.backlogMax, 0)))),
            ("seed", "\(plan.seed)"),
            ("run", hexadecimal(plan.run)),
            ("ledger", plan.ledger ?? "none"),
        ]
        rows += plan.headers.map { ("header", "\($0.name): \($0.value)") }
        if !plan.body.isEmpty { rows.append(("body", "\(plan.body.count) bytes")) }
        if plan.target.isTLS {
            rows.append(("certificate", plan.tls.verifiesPeer ? "verified" : "not verified"))
            rows.append(("authorities", plan.tls.authorities ?? "the system's"))
        }
        if let replay = plan.replay {
            let pace = replay.pace.map { "\(NumberText.trimmed($0)) × as recorded" }
            rows.append(("replay", "\(replay.file), \(pace ?? "by the rate")"))
        }
        return rows + scenario(plan.scenario)
    }

    private static func rate(_ profile: RateProfile) -> String {
        guard profile.pieces.count > 1 || profile.pieces.first.map({ $0.from != $0.to }) == true
        else { return PlanWords.rate(profile) }
        let pieces = profile.pieces.prefix(24).map { piece in
            let ends =
                piece.from == piece.to
                ? PlanWords.grouped(piece.to)
                : "\(PlanWords.grouped(piece.from))→\(PlanWords.grouped(piece.to))"
            return "\(ends) for \(NumberText.duration(seconds: piece.seconds))"
        }
        let more = profile.pieces.count - pieces.count
        return pieces.joined(separator: ", ") + (more > 0 ? " and \(more) pieces more" : "")
            + " (requests/s)"
    }

    private static func hexadecimal(_ run: UInt32) -> String {
        let digits = String(run, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// By the names that its file has, whatever it comes to hold.
    private static func scenario(_ scenario: Scenario?) -> [Row] {
        guard let scenario else { return [("scenario", "none: the same request every time")] }
        let data = (try? JSONEncoder().encode(scenario)) ?? Data()
        let value = try? JSONSerialization.jsonObject(with: data)
        return flattened("scenario", value ?? scenario.name)
    }

    static func flattened(_ name: String, _ value: Any) -> [Row] {
        switch value {
        case let fields as [String: Any]:
            return fields.sorted { $0.key < $1.key }.flatMap {
                flattened("\(name).\($0.key)", $0.value)
            }
        case let elements as [Any]:
            if elements.allSatisfy({ !($0 is [String: Any]) && !($0 is [Any]) }) {
                let texts = elements.prefix(60).map { "\($0)" }
                let more = elements.count - texts.count
                return [
                    (name, texts.joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""))
                ]
            }
            return elements.prefix(60).enumerated().flatMap {
                flattened("\(name)[\($0.offset)]", $0.element)
            }
        case is NSNull: return [(name, "none")]
        default: return [(name, "\(value)")]
        }
    }
}
