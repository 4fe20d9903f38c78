import ArgumentParser
import Config
import Core
import Log
import Platform

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a cluster in the foreground until Ctrl-C, SIGTERM or `hydrant stop`.",
        discussion: """
            Once every process is ready it prints what to try. On the first signal routers answer \
            what they have taken, workers finish their calls, and the cluster leaves; on the second \
            it leaves at once. Nothing acknowledged is lost either way: what is not delivered \
            stays in the spool for the next start, or is delivered first with on_stop = "deliver".

            Exit codes: 0 stopped; 69 address or data folder in use; 70 no router or no worker \
            could ever start; 71 the kernel refused something no setting can mend; 73 a file or \
            folder could not be made; 75 stopped, and rows stay that on_stop = "deliver" was to \
            deliver; 78 bad settings, or a data folder that cannot be used.
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
        options.reload = { () throws(ReloadRefusal) in try readAgain() }
        throw ExitCode(try runCluster(options))
    }

    /// The same file, variables and flags, as they are now.
    private func readAgain() throws(ReloadRefusal) -> ClusterSettings.Fresh {
        do throws(ConfigProblems) {
            let loaded = try cluster.read()
            let schema = try ConfigOptions.check(loaded)
            return ClusterSettings.Fresh(settings: loaded.settings) { settings, path in
                try Glue.writeSettings(settings, schema, to: path)
            }
        } catch {
            let lines = error.render(color: false).split(separator: "\n").map(String.init)
            throw ReloadRefusal(
                lines: lines, hint: "`hydrant check` shows the same without a cluster")
        }
    }
}

/// Starts a cluster in this process and runs it to its end. Answers its exit code.
func runCluster(_ options: ClusterSettings) throws -> Int32 {
    ensureStandardDescriptors()
    prepareProcess(name: "hydrant", isChild: false)
    raiseOpenFilesLimit()
    var log = LineLog(
        process: "supervisor", level: options.settings.logLevel,
        format: options.settings.logFormat)
    var options = options
    options.log = { log.write($0, $1) }
    options.didTake = { log.change(level: $0.logLevel, format: $0.logFormat) }
    let folder = DataFolder(path: options.settings.dataFolder)
    let isNew = !SmallFile.exists(folder.path)
    var code: Int32 = 0
    try reporting {
        do {
            code = try Cluster(options).run()
        } catch {
            if isNew { folder.removeUnused() }
            throw error
        }
    }
    return code
}
