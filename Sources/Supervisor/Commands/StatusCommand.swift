import ArgumentParser
import Platform

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the ledger, the shards and the processes.",
        discussion: "Of a stopped cluster it shows what its spool holds.")

    @Flag(help: "One line of JSON.")
    var json = false

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settings()
        try reporting {
            let client = ControlClient(path: DataFolder(path: settings.dataFolder).controlSocket)
            let isRunning = try client.ask(json ? .status : .statusTable) { print($0) }
            if isRunning { return }
            let report = StatusReport.stopped(
                try Glue.spoolLedgers(settings), nowMicroseconds: realtimeMicroseconds())
            print(json ? report.json : report.table, terminator: json ? "\n" : "")
        }
    }
}
