import ArgumentParser
import Platform

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a cluster in the foreground until Ctrl-C, SIGTERM or `hydrant stop`.",
        discussion: """
            Once every process is ready it prints what to try. On the first signal routers answer \
            what they have taken, workers finish their calls, and the cluster leaves; on the second \
            it leaves at once. Nothing acknowledged is lost either way.

            Exit codes: 0 stopped; 69 address or data folder in use; 70 no router or no worker \
            could ever start; 73 a file or folder could not be made; 78 bad settings, or a data \
            folder that cannot be used.
            """)

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let (loaded, schema) = try cluster.loadForStart()
        for warning in SpoolSpace.warnings(loaded.settings) {
            Terminal.printError(warning.render(kind: .warning, color: Terminal.errorsAreColored))
        }
        var options = ClusterSettings(settings: loaded.settings) { settings, path in
            try Glue.writeSettings(settings, schema, to: path)
        }
        let finding = cluster.finding(loaded)
        options.didBecomeReady = { settings in
            let banner = ReadyBanner(
                settings: settings, schema: schema.schema,
                program: CommandLine.arguments.first ?? "hydrant", finding: finding,
                workingFolder: currentFolder())
            Terminal.print(banner.text)
        }
        throw ExitCode(try runCluster(options))
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
