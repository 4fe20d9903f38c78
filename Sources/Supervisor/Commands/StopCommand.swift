import ArgumentParser

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the cluster and wait until it has left.")

    @Flag(help: "Leave at once instead of answering and delivering what is in flight.")
    var now = false

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settings()
        try reporting {
            let folder = DataFolder(path: settings.dataFolder)
            var last = ""
            let isRunning = try ControlClient(path: folder.controlSocket)
                .ask(now ? .stopNow : .stop) { last = $0 }
            if !isRunning { throw notRunning(folder) }
            guard last.hasPrefix("done ") else {
                throw ClusterFailure(
                    "the supervisor ended without saying goodbye: \(last)",
                    hint: "look at its log; `hydrant status` shows what the spool holds",
                    exitCode: ClusterExit.failed)
            }
            print(last.dropFirst("done ".count))
        }
    }
}
