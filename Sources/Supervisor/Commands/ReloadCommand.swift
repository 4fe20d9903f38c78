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

            Exit codes: 0 reloaded; 69 no cluster runs, or it is stopping; 75 a process did not start in time; \
            78 the configuration is refused.
            """)

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let folder = DataFolder(path: try cluster.settings().dataFolder)
        try reporting {
            var last = ""
            var hint: String?
            let isRunning = try ControlClient(folder: folder).ask(.reload) { line in
                last = line
                if line.hasPrefix("hint ") { hint = String(line.dropFirst("hint ".count)) }
                if line.hasPrefix("problem ") {
                    Terminal.printError(line.dropFirst("problem ".count) + "\n")
                }
            }
            if !isRunning { throw notRunning(folder) }
            try judge(last, hint)
        }
    }

    private func judge(_ last: String, _ hint: String?) throws {
        let words = String(last.drop { $0 != " " }.dropFirst())
        if last.hasPrefix("done ") { return print(words) }
        if last.hasPrefix("refused ") {
            throw ClusterFailure(
                "not reloaded: \(words)", hint: hint, exitCode: ConfigProblems.exitCode)
        }
        if last.hasPrefix("stopping ") {
            throw ClusterFailure(
                words,
                hint: "wait for its end with `hydrant stop`; the next start takes the "
                    + "configuration as it is then",
                exitCode: ClusterExit.unavailable)
        }
        throw ClusterFailure(
            last.hasPrefix("failed ") ? words : "the supervisor ended without an answer: \(last)",
            hint: "look at its log; `hydrant status` shows who is at work",
            exitCode: last.hasPrefix("failed ") ? ClusterExit.timedOut : ClusterExit.failed)
    }
}
