import ArgumentParser

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the cluster and wait until it has left.",
        discussion: """
            Rows that are not delivered stay in the spool for the next start, or are delivered \
            first, as `on_stop` says. Exit status 75 when they were to be delivered and some stay. \
            Asked again during a stop, it waits for the same end; --deliver and --keep change what \
            becomes of the rows as long as the workers have not been told to leave, --now hurries.
            """)

    @Flag(help: "Leave at once instead of answering and delivering what is in flight.")
    var now = false

    @Flag(help: "Deliver what is in the spool first, for at most deliver_timeout.")
    var deliver = false

    @Flag(help: "Leave undelivered rows in the spool for the next start.")
    var keep = false

    @OptionGroup var cluster: ConfigOptions

    func validate() throws {
        if [now, deliver, keep].count(where: { $0 }) > 1 {
            throw ValidationError("--now, --deliver and --keep exclude each other.")
        }
    }

    func run() throws {
        let settings = try cluster.settingsToFind()
        try reporting {
            let folder = DataFolder(path: settings.dataFolder)
            var last = ""
            let isRunning = try ControlClient(folder: folder).ask(request) { line in
                if line.hasPrefix("progress ") {
                    last = String(line.dropFirst("progress ".count))
                    Terminal.printError(last + "\n")
                } else {
                    last = line
                }
            }
            if !isRunning { throw notRunning(folder) }
            if last.hasPrefix("left ") {
                throw ClusterFailure(
                    String(last.dropFirst("left ".count)),
                    hint: "the next start here delivers them; `hydrant status` shows them",
                    exitCode: ClusterExit.timedOut)
            }
            if last.hasPrefix("refused ") {
                throw ClusterFailure(
                    String(last.dropFirst("refused ".count)),
                    hint: "the next start here delivers them; `hydrant stop` waits until this one "
                        + "has left, `hydrant stop --now` hurries it",
                    exitCode: ClusterExit.timedOut)
            }
            guard last.hasPrefix("done ") else {
                throw ClusterFailure(
                    "the supervisor ended without saying goodbye"
                        + (last.isEmpty ? "" : ": its last words were “\(last)”"),
                    hint: "look at its log; `hydrant status` shows what the spool holds",
                    exitCode: ClusterExit.failed)
            }
            print(last.dropFirst("done ".count))
        }
    }

    private var request: ControlRequest {
        if now { return .stopNow }
        return deliver ? .stopDeliver : keep ? .stopKeep : .stop
    }
}
