import Config
import Core

/// What `run` prints once the cluster is ready: where everything is, and lines to copy into a
/// second terminal.
struct ReadyBanner {
    /// As the children have them: with the ports that were really bound.
    var settings: Settings
    var schema: Schema
    /// The program as it was called, ".build/release/hydrant".
    var program: String
    /// What other commands need to find this cluster, " --config staging.toml"; often nothing.
    var finding: String
    var workingFolder: String

    var text: String {
        """

        Hydrant is ready: \(counted(settings.routers, "router")), \
        \(counted(settings.workers, "worker")). To try it, in a second terminal in this folder\(lag):

        \(block(tries))

        \(block(places))


        """
    }

    private typealias Line = (label: String, text: String)

    private var tries: [Line] {
        var lines = [("send a hit", example.curl(pixel))]
        if hasWarehouse { lines.append(("see its row", command("query", query))) }
        lines.append(("see the ledger", command("status")))
        return lines
    }

    private var places: [Line] {
        var lines = [("pixel", pixel)]
        if settings.deliveryMode == .local {
            // The page is for this machine only.
            if hasWarehouse, settings.localListen.reachable.isLoopback {
                lines.append(("demo page", "\(localFirehose)/demo"))
            }
            lines.append(
                ("Firehose API", localFirehose + ", key pair in " + data("local-credentials")))
        } else {
            lines.append(("Firehose", "\(settings.endpointURL ?? "") in \(settings.region)"))
        }
        if let admin = settings.admin {
            lines.append(("health", "http://\(admin.reachable.text)/readyz"))
        }
        lines.append(("data", shown(settings.dataFolder) + dataContents))
        lines.append(("stop", "Ctrl-C here, or " + command("stop")))
        return lines
    }

    private var dataContents: String {
        guard settings.deliveryMode == .local else { return "" }
        return switch settings.sink {
        case .warehouse:
            ": rows in warehouse.db, GZIP objects in s3/, the spool in spool/"
        case .objects: ": GZIP objects in s3/, the spool in spool/"
        case .discard: ": the spool; delivered rows are thrown away (local.sink = \"discard\")"
        }
    }

    /// From a hit to its row, on an idle cluster: a query that is asked at once finds nothing.
    private var lag: String {
        if !hasWarehouse { return "" }
        let ms = settings.effectiveLingerMs + settings.bufferIntervalMs + 1500
        return " (a hit is a row after about \(ms / 1000) s)"
    }

    private var hasWarehouse: Bool {
        settings.deliveryMode == .local && settings.sink == .warehouse
    }

    private var pixel: String { "http://\(settings.listen.reachable.text)/p.gif" }
    private var localFirehose: String {
        "\(settings.localSpeaksTLS ? "https" : "http")://\(settings.localListen.reachable.text)"
    }

    private func command(_ name: String, _ argument: String? = nil) -> String {
        "\(shellWord(program)) \(name)\(finding)" + (argument.map { " \(shellWord($0))" } ?? "")
    }

    private func data(_ name: String) -> String { shown(settings.dataFolder + "/" + name) }

    private func shown(_ path: String) -> String {
        path.hasPrefix(workingFolder + "/") ? String(path.dropFirst(workingFolder.count + 1)) : path
    }

    private var example: ExampleHit { ExampleHit(schema) }

    /// The newest rows, in the columns that the example hit fills.
    private var query: String {
        var columns = example.columns
        let time = schema.columns.first { $0.sources.contains(.receivedAt) }?.name
        if let time, !columns.contains(time) { columns.append(time) }
        if columns.isEmpty { columns = Array(schema.columnNames.prefix(3)) }
        let order = time.map { " order by \(identifier($0)) desc" } ?? ""
        return "select \(columns.map(identifier).joined(separator: ", "))"
            + " from \(identifier(schema.table))\(order) limit 5"
    }

    /// Names of a schema that is not ours may be words of SQL.
    private func identifier(_ name: String) -> String {
        schema == SchemaFile.standard.schema ? name : "\"\(name)\""
    }

    private func block(_ lines: [Line]) -> String {
        let width = 14
        return lines.map { label, text in
            "  " + label + String(repeating: " ", count: width - label.count) + "  " + text
        }.joined(separator: "\n")
    }
}

/// "1 worker", "2 workers".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// A word as a POSIX shell reads it back.
func shellWord(_ word: String) -> String {
    let isPlain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "_./:=@%+,-".utf8.contains(byte)
        }
    return isPlain
        ? word
        : "'"
            + word.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
}
