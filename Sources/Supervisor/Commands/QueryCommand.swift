import ArgumentParser
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
            """)

    @Argument(help: "One SQL statement, in SQLite's dialect.")
    var sql: String

    @Flag(help: "Print an array of JSON objects.")
    var json = false

    @Flag(help: "Print comma-separated values with a header (RFC 4180).")
    var csv = false

    @Option(help: ArgumentHelp("The cluster's data folder.", valueName: "folder"))
    var data = "var"

    func validate() throws {
        if json && csv { throw ValidationError("choose one of --json and --csv") }
    }

    func run() throws {
        try WarehouseQuery.run(
            sql, dataFolder: data, format: json ? .json : csv ? .csv : .table
        ) { piece in
            print(piece, terminator: "")
        }
    }
}
