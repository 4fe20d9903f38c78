import Core
import Platform
import Worker

/// The streams of this host's shards, and the calls that look at them.
struct StreamsOfHost {
    let settings: Settings
    /// In the order of the shards, each good one before its bad one; shared ones once.
    let wanted: [StreamCheck.Wanted]

    init(_ settings: Settings, schema: Schema, host: String = hostName()) {
        self.settings = settings
        var all: [StreamCheck.Wanted] = []
        func add(_ name: String, _ rows: StreamCheck.Rows) {
            if let index = all.firstIndex(where: { $0.name == name }) {
                all[index].workers += 1
                return
            }
            all.append(
                StreamCheck.Wanted(
                    name: name, rows: rows, region: settings.region, workers: 1,
                    table: rows == .good ? schema.table : schema.badTable,
                    columns: rows == .good
                        ? schema.columnNames : Schema.BadRow.columns.map(\.name)))
        }
        for shard in 0..<settings.workers {
            add(settings.streamName(shard: shard, host: host), .good)
            add(settings.badStreamName(shard: shard, host: host), .bad)
        }
        wanted = all
    }

    var control: FirehoseControl {
        get throws {
            let control = try FirehoseControl(
                settings, credentials: try streamCredentials(settings))
            // A server that never answers takes more than a minute: not in silence.
            control.willTryAgain = { why, attempt in
                // Over a progress line, where there is one.
                Terminal.printError(
                    (isTerminal(2) ? "\r\u{1B}[K" : "")
                        + "try \(attempt) of \(FirehoseControl.tries): \(printable(why))\n")
            }
            return control
        }
    }

    /// - Parameter didLook: is told how many are done.
    func look(
        _ control: FirehoseControl, didLook: (Int) -> Void = { _ in }
    ) throws -> [StreamCheck] {
        var checks: [StreamCheck] = []
        for wanted in wanted {
            checks.append(StreamCheck(wanted, try Self.find(wanted.name, control, settings)))
            didLook(checks.count)
        }
        return checks
    }

    static func find(
        _ name: String, _ control: FirehoseControl, _ settings: Settings
    ) throws -> StreamCheck.Found {
        switch try calling(control, "DescribeDeliveryStream", StreamRequest.describe(name)) {
        case .done(let body):
            let description = body.withUnsafeBytes { StreamDescription(answer: $0) }
            guard let description else {
                throw ClusterFailure(
                    "\(settings.firehoseEndpoint.url) answered with something that is no stream",
                    hint: "whatever answers there is not Firehose: check firehose.endpoint_url",
                    exitCode: ClusterExit.failed)
            }
            return .stream(description)
        case .refused("ResourceNotFoundException", _): return .missing
        case .refused(let code, let message): return .refused(code: code, message: message)
        }
    }

    static func calling(
        _ control: FirehoseControl, _ operation: String, _ body: String
    ) throws -> FirehoseControl.Answer {
        do throws(FirehoseControl.Unanswered) {
            return try control.call(operation, body)
        } catch {
            throw ClusterFailure(
                "no answer of Firehose: \(error.text)", hint: error.remedy,
                exitCode: ClusterExit.unavailable)
        }
    }
}
