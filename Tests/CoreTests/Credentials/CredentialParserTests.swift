import Testing

@testable import Core

@Suite struct CredentialParserTests {
    @Test func `a config file is read with its comments, sub-keys and odd sections`() {
        let file = ProfileFile(
            """
            region = before any section
            # a comment
            [default]
            region=eu-west-1 ; because
            Output = json
            s3 =
                max_concurrent_requests = 20
                region = nested
            credential_process = tool --a=b;c#d
            [profile "my shop"]
              aws_access_key_id = A
              aws_secret_access_key = B#C
            [profile\tx]
            a = 1
            [sso-session s]
            a = 2
            [shop]
            a = 3
            [default]
            region = later
            nonsense
            """, kind: .config)
        #expect(Set(file.profiles.keys) == ["default", "my shop", "x"])
        #expect(
            file.profiles["default"] == [
                "region": "later", "output": "json", "s3": "",
                "credential_process": "tool --a=b;c#d",
            ])
        #expect(
            file.profiles["my shop"] == ["aws_access_key_id": "A", "aws_secret_access_key": "B#C"])
        #expect(file.profiles["x"] == ["a": "1"])
    }

    @Test func `a credentials file names profiles without the word`() {
        let file = ProfileFile("[shop]\r\na = 1\r\n\r\n[ default ]\r\nb=2\r\n", kind: .credentials)
        #expect(file.profiles == ["shop": ["a": "1"], "default": ["b": "2"]])
    }

    @Test func `a file that is cut anywhere is read as far as it goes, and no key moves`() {
        let whole = "[a]\nx = 1\n  sub = 2\n[b]\nx = 3 # c\ny = 4\n"
        let expected = ProfileFile(whole, kind: .credentials).profiles
        #expect(expected == ["a": ["x": "1"], "b": ["x": "3", "y": "4"]])
        for cut in 0...whole.utf8.count {
            let text = String(decoding: Array(whole.utf8)[..<cut], as: UTF8.self)
            for (profile, values) in ProfileFile(text, kind: .credentials).profiles {
                for (key, value) in values {
                    #expect(expected[profile]?[key]?.hasPrefix(value) == true, "cut at \(cut)")
                }
            }
        }
    }

    @Test(arguments: [
        ("a b  c", ["a", "b", "c"]), (" 'a b' ", ["a b"]),
        (#""a \"b\" \c" d"#, [#"a "b" \c"#, "d"]),
        (#"a\ b 'c\d' """#, ["a b", #"c\d"#, ""]), ("x''y\"z\"", ["xyz"]),
        ("a\t$B;c|d", ["a", "$B;c|d"]),
    ])
    func `a command is split as a shell splits it`(line: String, words: [String]) throws {
        #expect(try CommandWords.split(line) == words)
    }

    @Test(arguments: [
        ("", CommandWords.Flaw.empty), ("  ", .empty), ("''", .empty), ("a 'b", .openQuote),
        ("a \"b", .openQuote), ("a\\", .trailingBackslash),
    ])
    func `a command that is none is refused`(line: String, flaw: CommandWords.Flaw) {
        #expect(throws: flaw) { try CommandWords.split(line) }
    }

    @Test func `instants are read in the forms that AWS writes, and in no other`() {
        let at: Int64 = 1_767_344_645
        for text in [
            "2026-01-02T09:04:05Z", "2026-01-02T09:04:05.123456Z", "2026-01-02T09:04:05+00:00",
            "2026-01-02T11:34:05+02:30", "2026-01-02T04:04:05-0500",
        ] { #expect(parseISOTime(text) == at, "\(text)") }
        #expect(isoTime(unixSeconds: at) == "2026-01-02T09:04:05Z")
        for text in [
            "2026-01-02T09:04:05", "2026-01-02 09:04:05Z", "2026-13-02T09:04:05Z", "soon",
            "2026-01-02T09:04:05.Z", "2026-01-02T09:04:05Zz", "2026-01-02T09:04:05+99:00",
            "2026-02-30T09:04:05Z", "",
        ] { #expect(parseISOTime(text) == nil, "\(text)") }
        let whole = "2026-01-02T11:34:05.5+02:30"
        for cut in 0..<whole.count { #expect(parseISOTime(String(whole.prefix(cut))) == nil) }
    }

    @Test func `a session is named after the host, in letters that STS takes`() {
        #expect(CredentialInputs.sessionName(host: "web-1.shop_x") == "hydrant-web-1shopx")
        #expect(CredentialInputs.sessionName(host: "…") == "hydrant")
        #expect(
            CredentialInputs.sessionName(host: String(repeating: "a", count: 99)).utf8.count == 64)
    }

    @Test func `what is shown of a key is its end`() {
        let it = Credentials(accessKeyID: "AKIAEXAMPLE1234", secretAccessKey: "s")
        #expect(it.shownKey == "…1234")
    }
}
