import ArgumentParser
import Core
import LocalFirehose

/// `hydrant query "select event, count(*) from events group by 1"`.
struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask the embedded warehouse.",
        discussion: """
            Works beside a running cluster and on a stopped one. Good rows are in `events`, bad ones \
            in `bad_events` (or as the schema names them); `load_errors` has the lines that could \
            not be loaded. Only statements that read are allowed.

            Example: hydrant query "select event, count(*) from events group by 1"
            """)

    @Argument(help: "One SQL statement, in SQLite's dialect.")
    var sql: String

    @Flag(help: "Print an array of JSON objects.")
    var json = false

    @Flag(help: "Print comma-separated values with a header (RFC 4180).")
    var csv = false

    @Option(
        help: ArgumentHelp(
            "The data folder of the cluster, instead of the one in the settings, which are then "
                + "not read.",
            valueName: "folder"))
    var data: String?

    @OptionGroup var cluster: ConfigOptions

    func validate() throws {
        if json && csv { throw ValidationError("choose one of --json and --csv") }
        if sql.allSatisfy(\.isWhitespace) { throw ValidationError("the statement is empty") }
    }

    func run() throws {
        let settings = data == nil ? try cluster.settingsToFind() : nil
        let folder = data ?? settings?.dataFolder ?? "var"
        try reporting {
            do throws(QueryFailure) {
                try WarehouseQuery.run(
                    sql, dataFolder: folder, format: json ? .json : csv ? .csv : .table
                ) { print($0, terminator: "") }
            } catch {
                throw ClusterFailure(error, settings)
            }
        }
    }
}

extension ClusterFailure {
    /// - Parameter settings: the cluster's, if they were read.
    init(_ failure: QueryFailure, _ settings: Settings?) {
        let hint: String
        var exitCode = ClusterExit.failed
        switch failure {
        case .noWarehouse:
            hint = Self.whyNoWarehouse(settings)
            exitCode = ClusterExit.unavailable
        case .unreadable: hint = "name this cluster's data folder with --data, and be its owner"
        case .sql(let message) where message.hasPrefix("no such table"),
            .sql(let message) where message.hasPrefix("no such column"):
            hint = "the tables: hydrant query \"select name, sql from sqlite_schema\""
        case .sql: hint = "one statement in SQLite's dialect, in quotes for the shell"
        case .notReadOnly: hint = "start it with select, with, values or explain"
        case .severalStatements: hint = "remove what follows the first \";\""
        }
        self.init("\(failure)", hint: hint, exitCode: exitCode)
    }

    private static func whyNoWarehouse(_ settings: Settings?) -> String {
        if let settings, settings.deliveryMode == .aws {
            return "delivery.mode = \"aws\" fills none: rows go to the streams at "
                + "\(settings.endpointURL ?? "Amazon"), and are queried where those deliver; with "
                + "\"local\" they are loaded here"
        }
        if let settings, settings.sink != .warehouse {
            return "local.sink = \"\(settings.sink)\" fills none; \"warehouse\" does"
        }
        return "start a cluster in this folder with `hydrant run`; if one ran elsewhere, go there, "
            + "or name it with --config, --set data=… or --data"
    }
}
