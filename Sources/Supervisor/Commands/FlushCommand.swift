import ArgumentParser
import Platform

struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract: "Wait until all that was accepted before is delivered, in both lanes.",
        discussion: """
            In local mode also until it is loaded into the warehouse. Exits 75 when the time is \
            over, naming the lane that is stuck; nothing is lost by that, delivery goes on.
            """)

    @Option(help: ArgumentHelp("How long to wait: 500ms, 180s, 5m.", valueName: "duration"))
    var timeout = DurationArgument(milliseconds: 180_000)

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settingsToFind()
        try reporting {
            let folder = DataFolder(path: settings.dataFolder)
            let showsProgress = isTerminal(2)
            var last = ""
            let isRunning = try ControlClient(folder: folder)
                .ask(.flush(timeoutMs: timeout.milliseconds)) { line in
                    last = line
                    guard showsProgress else { return }
                    // Over the line before, which is gone when the last one comes.
                    let isProgress = line.hasPrefix("progress ")
                    let shown = isProgress ? String(line.dropFirst("progress ".count)) : ""
                    try? SmallFile.writeAll(Array("\r\u{1B}[K\(shown)".utf8), to: 2)
                }
            if !isRunning { throw notRunning(folder) }
            try tell(last)
        }
    }

    private func tell(_ last: String) throws(ClusterFailure) {
        if last.hasPrefix("done ") { return print(last.dropFirst("done ".count)) }
        if last.hasPrefix("stopping ") {
            throw ClusterFailure(
                String(last.dropFirst("stopping ".count)),
                hint: "the rows stay in the spool; the next start delivers them",
                exitCode: ClusterExit.timedOut)
        }
        guard last.hasPrefix("stuck ") else {
            throw ClusterFailure(
                "the cluster broke off before all was delivered", exitCode: ClusterExit.failed)
        }
        throw ClusterFailure(
            "not delivered within \(seconds(timeout.milliseconds)): "
                + last.dropFirst("stuck ".count),
            hint: "`hydrant status` shows why; the rows stay in the spool and delivery goes on",
            exitCode: ClusterExit.timedOut)
    }
}
