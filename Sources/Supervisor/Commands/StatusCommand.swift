import ArgumentParser
import Platform

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the ledger, the shards and the processes.",
        discussion: "Of a stopped cluster it shows what its spool holds.")

    @Flag(help: "One line of JSON.")
    var json = false

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settingsToFind()
        try reporting {
            let folder = DataFolder(path: settings.dataFolder)
            let isRunning = try ControlClient(folder: folder)
                .ask(json ? .status : .statusTable) { print($0) }
            if isRunning { return }
            let shards = try Glue.spoolLedgers(settings)
            if shards.isEmpty { throw nothingHere(folder, spool: settings.spoolFolder) }
            let report = StatusReport.stopped(shards, nowMicroseconds: realtimeMicroseconds())
            print(json ? report.json : report.table, terminator: json ? "\n" : "")
        }
    }
}
