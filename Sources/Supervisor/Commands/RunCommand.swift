import ArgumentParser
import Platform

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a cluster in the foreground until SIGTERM, SIGINT or `hydrant stop`.",
        discussion: """
            The first signal lets routers answer, workers finish their calls and then leaves; the \
            second leaves at once. Nothing acknowledged is lost either way.

            Exit codes: 0 stopped; 69 address or data folder in use; 70 no router or no worker \
            could ever start; 73 data folder not writable; 78 bad settings.
            """)

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let (loaded, schema) = try cluster.loadForStart()
        let code = try runCluster(
            ClusterSettings(settings: loaded.settings) { settings, path in
                try Glue.writeSettings(settings, schema, to: path)
            })
        throw ExitCode(code)
    }
}

/// Starts a cluster in this process and runs it to its end. Answers its exit code.
func runCluster(_ options: ClusterSettings) throws -> Int32 {
    ensureStandardDescriptors()
    prepareProcess(name: "hydrant", isChild: false)
    raiseOpenFilesLimit()
    var code: Int32 = 0
    try reporting { code = try Cluster(options).run() }
    return code
}
