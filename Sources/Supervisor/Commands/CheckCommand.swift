import ArgumentParser
import Config
import Core
import Glibc
import Platform

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what would run, or everything that is wrong with the configuration.",
        discussion: """
            Reads settings and schema as `run` does, and starts nothing. Exit status 78 if `run` \
            would refuse; warnings leave it 0.
            """)

    @OptionGroup var options: ConfigOptions

    func run() throws {
        let (loaded, schema) = try options.loadForStart()
        for warning in MachineWarnings.all(loaded.settings) {
            Terminal.printError(
                warning.render(kind: .warning, color: Terminal.errorsAreColored))
        }
        print(Self.summary(loaded, schema), terminator: "")
    }

    static func summary(_ loaded: LoadedSettings, _ schema: SchemaFile) -> String {
        let settings = loaded.settings
        let delivery =
            switch settings.deliveryMode {
            case .local:
                "local Firehose at \(settings.localListen.text)\(settings.localSpeaksTLS ? " (TLS)" : ""), "
                    + "sink \(settings.sink)"
            case .aws:
                "\(settings.firehoseEndpoint.url) in \(settings.region)\(ProxyCheck.words(settings))"
            }
        let caps =
            "\(ByteSize.text(settings.spoolBytesMax)) good "
            + "and \(ByteSize.text(settings.spoolBadBytesMax)) bad rows a worker"
        return """
            ok: \(loaded.sourceFile ?? "no config file, defaults")
              listen    \(settings.listen.text), \(counted(settings.routers, "router"))
              admin     \(settings.admin?.text ?? "off")
              shards    \(counted(settings.workers, "worker"))
              schema    \(settings.schemaFile ?? "embedded"), \
            \(counted(schema.schema.columns.count, "column"))
              spool     \(settings.spoolFolder), at most \(caps)
              streams   \(streams(settings) { settings.streamName(shard: $0, host: $1) })
              bad       \(streams(settings) { settings.badStreamName(shard: $0, host: $1) })
              delivery  \(delivery)

            """
    }

    private static func streams(
        _ settings: Settings, name: (_ shard: Int, _ host: String) -> String
    ) -> String {
        let host = machineName()
        let first = name(0, host)
        let last = name(settings.workers - 1, host)
        return first == last ? first : "\(first) to \(last)"
    }
}

/// What this machine, at this moment, would make hard for the cluster. It may be another's doing
/// (the cluster may be running already), so it never makes a configuration wrong.
enum MachineWarnings {
    static func all(_ settings: Settings) -> [ConfigProblem] {
        portWarnings(settings) + descriptorWarnings(settings)
            + SpoolSpace.warnings(settings) + credentialWarnings(settings)
    }

    /// Only instance metadata would be left, and this does not look like an EC2 instance.
    private static func credentialWarnings(_ settings: Settings) -> [ConfigProblem] {
        guard settings.deliveryMode == .aws else { return [] }
        let inputs = CredentialInputs(
            environment: processEnvironment(), region: settings.region)
        let vendor = (try? SmallFile.read("/sys/devices/virtual/dmi/id/sys_vendor")) ?? []
        if inputs.pointsSomewhere(fileExists: SmallFile.exists)
            || vendor.starts(with: "Amazon".utf8)
        {
            return []
        }
        return [
            ConfigProblem(
                .machine, "nothing here says where AWS credentials are",
                hint: "rows would stay in the spool; `hydrant credentials` shows where is looked")
        ]
    }

    private static func portWarnings(_ settings: Settings) -> [ConfigProblem] {
        var wanted = [("listen", settings.listen)]
        if settings.deliveryMode == .local { wanted.append(("local.listen", settings.localListen)) }
        if let admin = settings.admin { wanted.append(("admin", admin)) }
        return wanted.compactMap { key, address in
            do throws(Failure) {
                close(try bindTCP(address: address.host, port: address.port))
                return nil
            } catch {
                return ConfigProblem(
                    .machine, "\(key) = \"\(address.text)\" cannot be bound now: \(error.reason)",
                    hint: error.number == EADDRINUSE
                        ? "fine if the cluster is running; else find who holds it: ss -ltnp"
                        : "an address of this machine, and above port 1023 unless you are root")
            }
        }
    }

    private static func descriptorWarnings(_ settings: Settings) -> [ConfigProblem] {
        /// Links, listeners, control, counters and what libraries open.
        let besides = settings.workers + 64
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_max < settings.connectionsMax + besides
        else { return [] }
        return [
            ConfigProblem(
                .machine,
                "connections = \(settings.connectionsMax) is more than the open files a router "
                    + "may have (\(limit.rlim_max))",
                hint: "raise the hard limit (ulimit -Hn, LimitNOFILE=), or lower connections")
        ]
    }
}
