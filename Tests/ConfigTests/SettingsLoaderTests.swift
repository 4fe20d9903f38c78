import Core
import Glibc
import TestSupport
import Testing

@testable import Config

/// A value for every key that is not its default and goes together with the other defaults: as it
/// stands in a file, and bare as in the environment and in a flag.
struct SampleValue: Sendable, CustomTestStringConvertible {
    var key: String
    var toml: String
    var bare: String
    var check: @Sendable (Settings) -> Bool

    var testDescription: String { key }

    init(
        _ key: String, _ toml: String, _ bare: String? = nil,
        check: @escaping @Sendable (Settings) -> Bool
    ) {
        self.key = key
        self.toml = toml
        self.bare = bare ?? toml.filter { $0 != "\"" }
        self.check = check
    }

    static let all: [SampleValue] = [
        SampleValue("listen", "\"[::1]:9000\"") { $0.listen == .init(host: "::1", port: 9000) },
        SampleValue("routers", "3") { $0.routers == 3 },
        SampleValue("workers", "0x10") { $0.workers == 16 },
        SampleValue("cores", "\"spread\"") { $0.cores == .spread },
        SampleValue("ack", "\"received\"") { $0.ack == .received },
        SampleValue("schema", "\"/etc/s.toml\"") { $0.schemaFile == "/etc/s.toml" },
        SampleValue("data", "'/tmp/v'", "/tmp/v") { $0.dataFolder == "/tmp/v" },
        SampleValue("on_invalid", "\"accept\"") { $0.onInvalid == .accept },
        SampleValue("shard_key", "[\"cookie:sid\"]", "cookie:sid") {
            $0.shardKey == [.cookie("sid"), .addressAndUserAgent]
        },
        SampleValue("wait_limit", "\"300ms\"") { $0.waitLimitMs == 300 },
        SampleValue("on_shard_down", "\"reroute\"") { $0.onShardDown == .reroute },
        SampleValue("stop_timeout", "\"1m\"") { $0.stopTimeoutMs == 60_000 },
        SampleValue("keep_alive", "\"1h\"") { $0.keepAliveMs == 3_600_000 },
        SampleValue("connections", "100") { $0.connectionsMax == 100 },
        SampleValue("admin", "\"off\"") { $0.admin == nil },
        SampleValue("on_stop", "\"deliver\"") { $0.onStop == .deliver },
        SampleValue("deliver_timeout", "\"5m\"") { $0.deliverTimeoutMs == 300_000 },
        SampleValue("hang_limit", "\"1500ms\"") { $0.hangLimitMs == 1500 },
        SampleValue("start_limit", "\"2m\"") { $0.startLimitMs == 120_000 },
        SampleValue("spool.dir", "\"/tmp/s\"") { $0.spoolFolder == "/tmp/s" },
        SampleValue("spool.max_bytes", "\"1 TiB\"") { $0.spoolBytesMax == 1 << 40 },
        SampleValue("spool.bad_max_bytes", "\"100MB\"") { $0.spoolBadBytesMax == 100_000_000 },
        SampleValue("spool.segment_bytes", "65536") { $0.spoolSegmentBytes == 65536 },
        SampleValue("delivery.mode", "\"aws\"") { $0.deliveryMode == .aws },
        SampleValue("delivery.linger", "\"3s\"") { $0.lingerMs == 3000 },
        SampleValue("delivery.linger_bytes", "\"1 MiB\"") { $0.lingerBytes == 1 << 20 },
        SampleValue("delivery.linger_count", "500") { $0.lingerCount == 500 },
        SampleValue("firehose.stream", "\"clicks-{shard}\"") { $0.stream == "clicks-{shard}" },
        SampleValue("firehose.bad_stream", "\"bad-{shard}\"") { $0.badStream == "bad-{shard}" },
        SampleValue("firehose.shard_offset", "8") { $0.shardOffset == 8 },
        SampleValue("firehose.records", "\"one-per-row\"") { $0.records == .onePerRow },
        SampleValue("firehose.max_rows_per_record", "500") { $0.rowsPerRecordMax == 500 },
        SampleValue("firehose.quota", "\"20 MiB\"") { $0.quotaBytes == 20 << 20 },
        SampleValue("firehose.region", "\"eu-central-1\"") { $0.region == "eu-central-1" },
        SampleValue("firehose.endpoint_url", "\"http://localhost:5000/\"") {
            $0.endpointURL == "http://localhost:5000"
        },
        SampleValue("firehose.fips", "true") { $0.usesFIPS },
        SampleValue("firehose.dual_stack", "true") { $0.usesDualStack },
        SampleValue("firehose.ca_file", "\"/etc/ca.pem\"") { $0.authoritiesFile == "/etc/ca.pem" },
        SampleValue("local.listen", "\"127.0.0.1:9999\"") { $0.localListen.port == 9999 },
        SampleValue("local.sink", "\"discard\"") { $0.sink == .discard },
        SampleValue("local.buffer_interval", "\"500ms\"") { $0.bufferIntervalMs == 500 },
        SampleValue("local.priority", "\"normal\"") { $0.localPriority == .normal },
        SampleValue("local.fault_plan", "\"/etc/f.toml\"") { $0.faultPlanFile == "/etc/f.toml" },
        SampleValue("local.tls_certificate", "\"/etc/c.pem\"") {
            $0.localCertificateFile == "/etc/c.pem"
        },
        SampleValue("local.tls_key", "\"/etc/k.pem\"") { $0.localKeyFile == "/etc/k.pem" },
        SampleValue("plan.price_per_gb", "0.029") { $0.pricePerGB == 0.029 },
        SampleValue("log.level", "\"debug\"") { $0.logLevel == .debug },
        SampleValue("log.format", "\"json\"") { $0.logFormat == .json },
    ]

    /// What the key's value needs beside it.
    var company: [String: String] {
        key == "delivery.mode"
            ? [
                "HYDRANT_FIREHOSE_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            ] : [:]
    }
}

@Suite struct SettingsLoaderTests {
    @Test func `every key has a sample, and every sample differs from its default`() {
        #expect(SampleValue.all.map(\.key) == Setting.all.map(\.key))
        for sample in SampleValue.all {
            #expect(!sample.check(Settings()), "\(sample.key)")
        }
    }

    @Test(arguments: SampleValue.all)
    func `a key can be set in the file`(sample: SampleValue) throws {
        let setting = try #require(Setting.named(sample.key))
        let section = setting.section.map { "[\($0)]\n" } ?? ""
        let loaded = try load(
            "\(section)\(setting.name) = \(sample.toml)", environment: sample.company)
        #expect(sample.check(loaded.settings))
        #expect(
            loaded.origins[sample.key] == .file("hydrant.toml", line: section.isEmpty ? 1 : 2))
    }

    @Test(arguments: SampleValue.all)
    func `a key can be set in the environment`(sample: SampleValue) throws {
        let setting = try #require(Setting.named(sample.key))
        let variable = setting.variable
        let environment = sample.company.merging([variable: sample.bare]) { $1 }
        let loaded = try load(environment: environment)
        #expect(sample.check(loaded.settings))
        #expect(loaded.origins[sample.key] == .environment(variable))
    }

    @Test(arguments: SampleValue.all)
    func `a key can be set by a flag, bare or as a TOML literal`(sample: SampleValue) throws {
        for value in [sample.bare, sample.toml] {
            let words = "\(sample.key)=\(value)"
            let loaded = try load(overrides: [words], environment: sample.company)
            #expect(sample.check(loaded.settings))
            #expect(loaded.origins[sample.key] == .flag(words))
        }
    }

    @Test func `flag beats environment beats file beats default, and the last flag wins`() throws {
        let text = "workers = 3\nrouters = 3\nconnections = 3"
        let environment = ["HYDRANT_WORKERS": "4", "HYDRANT_ROUTERS": "4"]
        let loaded = try load(
            text, overrides: ["workers=6", "workers=5"], environment: environment)
        #expect(loaded.settings.workers == 5)
        #expect(loaded.settings.routers == 4)
        #expect(loaded.settings.connectionsMax == 3)
        #expect(loaded.settings.waitLimitMs == 2000)
        #expect(loaded.origins["workers"] == .flag("workers=5"))
        #expect(loaded.origins["routers"] == .environment("HYDRANT_ROUTERS"))
        #expect(loaded.origins["connections"] == .file("hydrant.toml", line: 3))
        #expect(loaded.origins["wait_limit"] == .byDefault)
        #expect(loaded.origins.count == Setting.all.count)
    }

    @Test func `an empty variable counts as not set`() throws {
        let loaded = try load("workers = 3", environment: ["HYDRANT_WORKERS": ""])
        #expect(loaded.settings.workers == 3)
    }

    @Test func `a bare word that looks like a number can be a name`() throws {
        let loaded = try load(overrides: ["firehose.region=1", "workers=1", "firehose.stream=12"])
        #expect(loaded.settings.stream == "12")
        #expect(loaded.settings.region == "1")
    }

    @Test func `a value cannot smuggle in a second key`() {
        let found = problems(overrides: ["workers=2\nrouters = 9"])
        #expect(found.count == 1)
        #expect(found[0].message.contains("workers must be"))
    }

    @Test func `variables that set nothing are warned of, Kubernetes' own are not`() throws {
        let loaded = try load(environment: [
            "HYDRANT_WORKRES": "4", "HYDRANT_SERVICE_HOST": "10.0.0.1",
            "HYDRANT_PORT_8080_TCP": "tcp://10.0.0.1:8080", "HYDRANT_PORT": "tcp://10.0.0.1:8080",
            "PATH": "/bin", "HYDRANTS": "x",
        ])
        #expect(loaded.warnings.map(\.place) == [.environment("HYDRANT_WORKRES")])
        #expect(loaded.warnings[0].hint == "did you mean HYDRANT_WORKERS?")
    }

    @Test func `flags name their problems too`() {
        let found = problems(overrides: ["workers", "spol.dir=x", "log.level=loud"])
        #expect(
            found.map(\.place) == [.flag("workers"), .flag("spol.dir=x"), .flag("log.level=loud")])
        #expect(found[0].hint == "write --set section.key=value")
        #expect(found[1].hint == "did you mean spool.dir, in section [spool]?")
    }

    // MARK: The file

    @Test func `no file, an empty file and a file of comments are fine`() throws {
        for text in [nil, "", "# nothing\n", "\u{FEFF}", "\u{FEFF}# bom\r\n", "\r\n\r\n"] {
            let loaded = try load(text)
            #expect(loaded.settings.workers == 2)
            #expect((loaded.sourceFile == nil) == (text == nil))
        }
    }

    @Test func `a byte order mark does not shift the columns`() {
        #expect(
            problems("\u{FEFF}workers = 0").map(\.place) == [
                .line(file: "hydrant.toml", line: 1, column: 11, text: "workers = 0")
            ])
    }

    @Test(
        arguments: [
            ([0x77, 0x00], "NUL", 1, 2),
            (Array("workers = 2\n# \u{E9}".utf8) + [0xFF], "not UTF-8", 2, 4),
            (Array("data = \"".utf8) + [0xC3, 0x28], "not UTF-8", 1, 9),
        ] as [([UInt8], String, Int, Int)])
    func `bytes that are no text are named with their place`(
        bytes: [UInt8], says: String, line: Int, column: Int
    ) throws {
        let folder = TemporaryFolder()
        folder.write(bytes, to: "hydrant.toml")
        let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder) }
        let found = try #require(error).problems
        #expect(found.count == 1)
        #expect(found[0].message.contains(says))
        guard case .line(_, line, column, _) = found[0].place else {
            Issue.record("\(found[0])")
            return
        }
    }

    @Test func `UTF-16 is named as such`() throws {
        let folder = TemporaryFolder()
        folder.write([0xFF, 0xFE, 0x77, 0x00], to: "hydrant.toml")
        let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder) }
        #expect(try #require(error).problems[0].message.contains("UTF-16"))
    }

    @Test func `a file of ten megabytes is refused without being parsed`() throws {
        let folder = TemporaryFolder()
        folder.write([UInt8](repeating: UInt8(ascii: "#"), count: 10 << 20), to: "hydrant.toml")
        let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder) }
        #expect(try #require(error).problems[0].message.contains("larger than 1 MiB"))
    }

    @Test func `a missing file, a folder and a path through a file are told apart`() throws {
        let folder = TemporaryFolder()
        folder.write("workers = 3", to: "x.toml")
        let cases = [
            ("none.toml", "no such file"), ("no/where.toml", "no such file"),
            (".", "is a folder"), ("x.toml/y.toml", "Not a directory"),
        ]
        for (path, says) in cases {
            let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder, path) }
            let found = try #require(error).problems
            #expect(found[0].message.contains(says), "\(path): \(found)")
            #expect(found[0].place == .file(path))
        }
        #expect(try loadFrom(folder, "x.toml").settings.workers == 3)
    }

    /// Root may read any file, so a socket stands in for one that may not be read.
    @Test func `what cannot be opened is an error that says why`() throws {
        let folder = TemporaryFolder()
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array((folder.path + "/hydrant.toml").utf8))
        }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder) }
        let message = try #require(error).problems[0].message
        #expect(message == "cannot be read: No such device or address")
    }

    @Test func `a link in a circle is an error that says so`() throws {
        let folder = TemporaryFolder()
        symlink("hydrant.toml", folder.path + "/hydrant.toml")
        let error = #expect(throws: ConfigProblems.self) { try loadFrom(folder) }
        #expect(try #require(error).problems[0].hint.contains("circle"))
    }

    @Test func `a config can come through a pipe`() throws {
        let folder = TemporaryFolder()
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        let text = "workers = 7"
        write(ends[1], text, text.utf8.count)
        close(ends[1])
        #expect(try loadFrom(folder, "/dev/fd/\(ends[0])").settings.workers == 7)
        close(ends[0])
    }

    private func loadFrom(
        _ folder: TemporaryFolder, _ configPath: String? = nil, overrides: [String] = [],
        for need: SettingsNeed = .use
    ) throws(ConfigProblems) -> LoadedSettings {
        try SettingsLoader.load(
            configPath: configPath, overrides: overrides, environment: [:],
            workingFolder: folder.path, for: need)
    }

    // MARK: A cluster that runs on other settings

    @Test func `what is broken in the file does not hide a cluster`() throws {
        let folder = TemporaryFolder()
        folder.write("data = \"d\"\nworkers = \"many\"\nwokers = 2", to: "hydrant.toml")
        let found = try loadFrom(folder, for: .findCluster)
        #expect(found.settings.dataFolder == folder.path + "/d")
        #expect(found.warnings.count == 2)
        #expect(throws: ConfigProblems.self) { try loadFrom(folder, for: .use) }
    }

    @Test(arguments: ["data = 7", "[spool]\ndir = 7", "data = \"d"])
    func `unless it is where the cluster is`(text: String) throws {
        let folder = TemporaryFolder()
        folder.write(text, to: "hydrant.toml")
        #expect(throws: ConfigProblems.self) { try loadFrom(folder, for: .findCluster) }
    }

    @Test func `or was typed just now`() {
        let folder = TemporaryFolder()
        #expect(throws: ConfigProblems.self) {
            try loadFrom(folder, overrides: ["dta=x"], for: .findCluster)
        }
    }

    // MARK: Paths

    @Test func `relative paths start at the config file's folder`() throws {
        let folder = TemporaryFolder()
        mkdir(folder.path + "/conf", 0o755)
        folder.write("data = \"./d\"\nschema = \"../s.toml\"", to: "conf/h.toml")
        let settings = try loadFrom(folder, "conf/h.toml").settings
        #expect(settings.dataFolder == folder.path + "/conf/d")
        #expect(settings.schemaFile == folder.path + "/conf/../s.toml")
        #expect(settings.spoolFolder == folder.path + "/conf/d/spool")
        #expect(settings.controlSocketPath == folder.path + "/conf/d/control.sock")
        #expect(
            try loadFrom(folder, "conf/h.toml", overrides: ["spool.dir=s"]).settings.spoolFolder
                == folder.path + "/conf/s")
    }

    @Test func `without a config file they start at the working folder`() throws {
        let folder = TemporaryFolder()
        let loaded = try loadFrom(folder, overrides: ["schema=s.toml"])
        #expect(loaded.settings.dataFolder == folder.path + "/var")
        #expect(loaded.settings.spoolFolder == folder.path + "/var/spool")
        #expect(loaded.settings.schemaFile == folder.path + "/s.toml")
        #expect(loaded.sourceFile == nil)
    }

    // MARK: What goes together

    @Test func `one stream for several workers is warned of, at its line`() throws {
        let loaded = try load(
            "workers = 4\n[firehose]\nstream = \"clicks\"\nbad_stream = \"bad\"")
        #expect(
            loaded.warnings.map(\.message) == [
                "4 workers share one stream, firehose.stream = \"clicks\"",
                "4 workers share one stream, firehose.bad_stream = \"bad\"",
            ])
        #expect(
            loaded.warnings[0].place
                == .line(file: "hydrant.toml", line: 3, column: 10, text: "stream = \"clicks\""))
        #expect(loaded.renderWarnings(color: false).contains("hydrant.toml:3:10: warning: 4 work"))
        #expect(try load("workers = 1\n[firehose]\nstream = \"clicks\"").warnings.isEmpty)
    }

    @Test func `a host's name that no stream may have is told`() {
        let found = problems(
            "[firehose]\nstream = \"x-{host}-{shard}\"", host: "büro")
        #expect(found.count == 1)
        #expect(found[0].message.contains("x-büro-1"))
        #expect(problems("[firehose]\nstream = \"x-{host}-{shard}\"").isEmpty)
    }

    @Test func `what is allowed but odd is warned of`() throws {
        let loaded = try load(
            "[local]\nlisten = \":9999\"\n[firehose]\nendpoint_url = \"http://x\"")
        #expect(loaded.warnings.count == 2)
        #expect(try load().warnings.isEmpty)
    }

    @Test func `a contradiction with a refused value is not reported on top`() {
        #expect(problems("listen = \":0\"\n[local]\nlisten = \":0\"").count == 2)
        #expect(problems("[spool]\nmax_bytes = \"x\"\nsegment_bytes = \"1 GiB\"").count == 1)
    }
}
