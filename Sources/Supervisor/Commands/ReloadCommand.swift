import ArgumentParser
import Config
import Platform

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running cluster take on its configuration as it is now.",
        discussion: """
            The cluster reads the file, environment and flags it was started with, as `check` does. \
            Where something is wrong it says so and goes on as it was. Else workers are replaced one \
            by one, fresh routers start beside the old ones, and these leave when they have answered \
            what they have: no request fails. `routers` and `workers` may change; what else a running \
            cluster cannot change is refused by name. SIGHUP to the supervisor does the same.

            Exit codes: 0 reloaded; 69 no cluster runs; 75 a process did not start in time; \
            78 the configuration is refused.
            """)

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let folder = DataFolder(path: try cluster.settings().dataFolder)
        try reporting {
            var last = ""
            let isRunning = try ControlClient(path: folder.controlSocket).ask(.reload) { line in
                last = line
                if line.hasPrefix("problem ") {
                    Terminal.printError(line.dropFirst("problem ".count) + "\n")
                }
            }
            if !isRunning { throw notRunning(folder) }
            try judge(last)
        }
    }

    private func judge(_ last: String) throws {
        let words = String(last.drop { $0 != " " }.dropFirst())
        if last.hasPrefix("done ") { return print(words) }
        if last.hasPrefix("refused ") {
            throw ClusterFailure(
                "not reloaded: \(words)", hint: "`hydrant check` shows the same without a cluster",
                exitCode: ConfigProblems.exitCode)
        }
        throw ClusterFailure(
            last.hasPrefix("failed ") ? words : "the supervisor ended without an answer: \(last)",
            hint: "look at its log; `hydrant status` shows who is at work",
            exitCode: last.hasPrefix("failed ") ? ClusterExit.timedOut : ClusterExit.failed)
    }
}
