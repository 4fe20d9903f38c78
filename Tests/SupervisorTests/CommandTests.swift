import ArgumentParser
import Config
import Core
import Platform
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ReadyBannerTests {
    private func text(
        _ schema: Schema = SchemaFile.standard.schema, finding: String = "",
        program: String = ".build/release/hydrant", change: (inout Settings) -> Void = { _ in }
    ) -> String {
        var settings = Settings()
        settings.dataFolder = "/srv/hydrant/var"
        change(&settings)
        return ReadyBanner(
            settings: settings, schema: schema, program: program, finding: finding,
            workingFolder: "/srv/hydrant"
        ).text
    }

    @Test func `it says what to try, where everything is and how to stop`() {
        #expect(
            text() == """

                Hydrant is ready: 1 router, 2 workers. To try it, in a second terminal in this folder \
                (a hit is a row after about 4 s):

                  send a hit      curl -sS -D - -o /dev/null \
                'http://127.0.0.1:8080/p.gif?event=load&uid=visitor-1&campaign=spring'
                  see its row     .build/release/hydrant query \
                'select event, visitor_id, campaign, received_at from events \
                order by received_at desc limit 5'
                  see the ledger  .build/release/hydrant status

                  pixel           http://127.0.0.1:8080/p.gif
                  demo page       http://127.0.0.1:8090/demo
                  Firehose API    http://127.0.0.1:8090, key pair in var/local-credentials
                  health          http://127.0.0.1:8081/readyz
                  data            var: rows in warehouse.db, \
                GZIP objects in s3/, the spool in spool/
                  stop            Ctrl-C here, or .build/release/hydrant stop


                """)
    }

    @Test func `lines that would lead nowhere are left out`() {
        let objects = text { $0.sink = .objects }
        #expect(!objects.contains("/demo") && !objects.contains(" query "))
        #expect(objects.contains("in this folder:\n") && objects.contains("GZIP objects in s3/"))
        #expect(!objects.contains("warehouse.db"))

        let aws = text {
            $0.deliveryMode = .aws
            $0.endpointURL = "http://10.0.0.1:5000"
        }
        #expect(!aws.contains("/demo") && !aws.contains(" query ") && !aws.contains("8090"))
        #expect(aws.contains("http://10.0.0.1:5000 in us-east-1"))

        // The demo page answers this machine only.
        #expect(!text { $0.localListen.host = "10.0.0.1" }.contains("/demo"))
    }

    @Test func `addresses can be called`() {
        let every = text {
            $0.listen = .init(host: "0.0.0.0", port: 80)
            $0.localListen.host = "::"
        }
        #expect(every.contains("http://127.0.0.1:80/p.gif"))
        #expect(every.contains("http://[::1]:8090/demo"))
    }

    @Test func `commands name the program as it was called and find this cluster`() {
        let shown = text(finding: " --set data=/srv/other", program: "/opt/my tools/hydrant") {
            $0.dataFolder = "/srv/other"
        }
        #expect(shown.contains("'/opt/my tools/hydrant' status --set data=/srv/other\n"))
        #expect(shown.contains("'/opt/my tools/hydrant' query --set data=/srv/other 'select "))
        #expect(shown.contains("data            /srv/other: rows"))
    }

    @Test func `a hit and a query are made for the schema at hand`() {
        let schema = Schema(
            columns: [
                .init(name: "order", type: .bigint, sources: [.query("o n")], required: true),
                .init(name: "page", type: .varchar(3), sources: [.referer], required: true),
                .init(name: "who", type: .varchar(9), sources: [.visitorCookie], required: true),
                .init(name: "spare", type: .double),
                .init(name: "note", type: .varchar(3), required: true),
            ], table: "orders")
        let shown = text(schema)
        #expect(
            shown.contains(
                " -e https://example.com/ -b hy_uid=visitor-1"
                    + " 'http://127.0.0.1:8080/p.gif?o%20n=1&note=exa'\n"))
        #expect(
            shown.contains(
                #"'select "order", "page", "who", "note" from "orders" limit 5'"#))
        let bare = Schema(columns: [.init(name: "id", type: .varchar(36), sources: [.hitID])])
        #expect(text(bare).contains("/dev/null http://127.0.0.1:8080/p.gif\n"))
        #expect(text(bare).contains(#"'select "id" from "events" limit 5'"#))
    }

    @Test(arguments: [
        ("plain-1.0/x", "plain-1.0/x"), ("", "''"), ("a b", "'a b'"), ("it's", #"'it'\''s'"#),
        ("$HOME", "'$HOME'"), ("é", "'é'"),
    ])
    func `a word is quoted for the shell`(word: String, quoted: String) {
        #expect(shellWord(word) == quoted)
    }
}

@Suite struct FindingTests {
    let temporary = TemporaryFolder()

    private func finding(_ words: [String], environment: [String: String] = [:]) throws -> String {
        let options = try ConfigOptions.parse(words)
        let loaded = try SettingsLoader.load(
            configPath: options.config, overrides: options.overrides, environment: environment,
            workingFolder: temporary.path, for: .use)
        return options.finding(loaded)
    }

    @Test func `another command needs only what moves the data folder`() throws {
        try SmallFile.write(Array("data = 'x'".utf8), to: temporary.path + "/a b.toml")
        #expect(try finding([]) == "")
        #expect(try finding(["--set", "workers=4"]) == "")
        #expect(try finding(["--set", "data=x y"]) == " --set 'data=x y'")
        #expect(
            try finding([], environment: ["HYDRANT_DATA": "/srv/d"]) == " --set data=/srv/d")
        #expect(
            try finding(["-c", temporary.path + "/a b.toml"])
                == " --config '\(temporary.path)/a b.toml'")
    }
}

@Suite struct QueryFailureTests {
    @Test func `what to do about an absent warehouse depends on the settings`() {
        var settings = Settings()
        func hint(_ settings: Settings?) -> String {
            ClusterFailure(.noWarehouse(path: "var/warehouse.db"), settings).hint ?? ""
        }
        #expect(hint(settings).contains("hydrant run"))
        #expect(hint(nil).contains("hydrant run"))
        settings.sink = .discard
        #expect(hint(settings).contains("local.sink = \"discard\""))
        settings.deliveryMode = .aws
        #expect(hint(settings).contains("Amazon"))
        #expect(ClusterFailure(.noWarehouse(path: "x"), nil).exitCode == 69)
        #expect(
            ClusterFailure(.sql("no such table: x"), nil).hint?.contains("sqlite_schema") == true)
    }
}

@Suite struct SchemaCheckTests {
    let temporary = TemporaryFolder()

    @Test func `a schema file that will do is summed up`() throws {
        #expect(
            SchemaCommand.Check.summary(SchemaFile.standard.schema) == """
                ok: 18 columns
                  table     events, bad rows in bad_events
                  required  event

                """)
        let path = temporary.path + "/s.toml"
        try SmallFile.write(Array(SchemaFile.standard.text.utf8), to: path)
        try SchemaCommand.Check.parse([path]).run()
    }

    @Test func `one that will not is refused with 78, as by run`() throws {
        let path = temporary.path + "/s.toml"
        try SmallFile.write(Array("tabel = 'x'\n".utf8), to: path)
        let code = #expect(throws: ExitCode.self) {
            try SchemaCommand.Check.parse([path]).run()
        }
        #expect(code?.rawValue == 78)
    }
}

@Suite struct UnknownCommandTests {
    @Test(arguments: [
        (["runn"], "did you mean `hydrant run`?"), (["schema", "shwo"], "`hydrant schema show`"),
        (["xyzzy", "--json"], "the commands are run, check, status,"),
        (["config", "xyzzy"], "the commands are show"),
    ])
    func `a mistyped command is told with what was meant`(words: [String], hint: String) {
        #expect(UnknownCommand.find(in: words)?.description.contains(hint) == true)
    }

    @Test(arguments: [
        [], ["run"], ["run", "x"], ["schema"], ["schema", "check", "f"], ["query", "runn"],
        ["--help"], ["help", "runn"], ["worker", "--slot", "0"], ["docs", "settings"],
    ])
    func `what may be right is left to the parser`(words: [String]) {
        #expect(UnknownCommand.find(in: words) == nil)
    }
}
