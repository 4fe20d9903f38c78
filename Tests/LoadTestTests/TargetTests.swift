import Testing

@testable import LoadTest

@Suite struct TargetTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080/p.gif", false, "127.0.0.1", UInt16(8080), "/p.gif"),
        ("127.0.0.1:8080/p.gif", false, "127.0.0.1", 8080, "/p.gif"),
        ("localhost", false, "localhost", 80, "/"),
        ("https://example.com", true, "example.com", 443, "/"),
        ("HTTPS://Example.com:8443/", true, "Example.com", 8443, "/"),
        ("http://[::1]:8080/p.gif", false, "::1", 8080, "/p.gif"),
        ("https://[2001:db8::7]/", true, "2001:db8::7", 443, "/"),
        ("[::1]", false, "::1", 80, "/"),
        ("http://h?a=1", false, "h", 80, "/?a=1"),
        ("h/a:b@c://d?e=[x]", false, "h", 80, "/a:b@c://d?e=[x]"),
        ("http://h/%zz/../a%20b?x=ü&y=\"{}\"", false, "h", 80, "/%zz/../a%20b?x=ü&y=\"{}\""),
        ("http://pixel_1.local.:81//", false, "pixel_1.local.", 81, "//"),
    ])
    func `a URL is taken apart and its path kept`(
        text: String, isTLS: Bool, host: String, port: UInt16, path: String
    ) throws {
        #expect(
            try LoadTarget.parse(text)
                == LoadTarget(isTLS: isTLS, host: host, port: port, path: path))
    }

    @Test(arguments: [
        "http://127.0.0.1:8080/p.gif?a=1", "https://example.com/", "http://[::1]:8080/",
        "https://h:80/",
    ])
    func `a URL is written as it was read`(text: String) throws {
        #expect(try LoadTarget.parse(text).url == text)
    }

    @Test(arguments: [
        ("", "the URL is empty", "write it like"),
        ("http://", "\"http://\" has no host", "write it like"),
        ("/p.gif", "\"/p.gif\" has no host", "write it like"),
        (":8080", "\":8080\" has no host", "write it like"),
        ("htp://h/", "\"htp://h/\" is neither http nor https", "did you mean http://?"),
        ("ftp://h/", "\"ftp://h/\" is neither http nor https", "write it like"),
        ("unix:///run/x", "\"unix:///run/x\" is neither http nor https", "write it like"),
        ("http://h/a b", "the URL \"http://h/a b\" holds a space", "write %20"),
        ("http://h/\r\nX: y", "the URL \"http://h/\\r\\nX: y\" holds a control", "%0A"),
        ("http://h/\u{0}", "the URL \"http://h/\\0\" holds a control character", "%0A"),
        ("http://h/#top", "\"http://h/#top\" has a fragment, which no client sends", "%23"),
        ("http://me:pw@h/", "\"http://me:pw@h/\" holds a user name or a password", "-H"),
        ("http://h:/", "\"http://h:/\" has \"\" as its port", "1 to 65535"),
        ("http://h:0/", "\"http://h:0/\" has \"0\" as its port", "1 to 65535"),
        ("http://h:65536/", "\"http://h:65536/\" has \"65536\" as its port", "1 to 65535"),
        ("http://h:+80/", "\"http://h:+80/\" has \"+80\" as its port", "1 to 65535"),
        ("http://::1/", "\"http://::1/\" has more than one colon in its host", "[::1]"),
        ("http://[::1/", "\"http://[::1/\" has brackets without an IPv6 address", "[::1]"),
        ("http://[h]/", "\"http://[h]/\" has brackets without an IPv6 address", "[::1]"),
        ("http://[::1]x/", "\"http://[::1]x/\" has brackets without an IPv6 address", "[::1]"),
        ("http://300.1.1.1/", "\"300.1.1.1\" is not an IPv4 address", "127.0.0.1"),
        ("http://127.1/", "\"127.1\" is not an IPv4 address", "127.0.0.1"),
        ("http://bücher.example/", "\"bücher.example\" is not a host's name", "xn--"),
        ("http://a..b/", "\"a..b\" is not a host's name", "write it like"),
        ("http://a$b/", "\"a$b\" is not a host's name", "write it like"),
        ("http:/h/", "\"http:/h/\" has \"\" as its port", "write it like"),
    ])
    func `what is no URL is refused, with what to write`(
        text: String, message: String, hint: String
    ) {
        let refused = refusal { _ = try LoadTarget.parse(text) }
        #expect(refused?.message.hasPrefix(message) == true, "\(refused?.message ?? "accepted")")
        #expect(refused?.hint.contains(hint) == true, "\(refused?.hint ?? "")")
    }

    @Test func `a path is no longer than a request may be`() throws {
        let longest = "/" + String(repeating: "a", count: LoadTarget.pathBytesMax - 1)
        #expect(try LoadTarget.parse("http://h" + longest).path == longest)
        #expect(
            refusal { _ = try LoadTarget.parse("http://h\(longest)a") }?.message
                == "the path of the URL has 32769 bytes")
    }

    /// No beginning traps, and what is accepted can be written and read again.
    @Test(arguments: [
        "https://[2001:db8::7]:8443/p.gif?event=load&uid=ü%20x", "localhost:8080/p.gif?a=1#x",
    ])
    func `a URL cut at any byte is another one or refused`(text: String) throws {
        for beginning in beginnings(of: text) {
            do {
                let target = try LoadTarget.parse(beginning)
                #expect(try LoadTarget.parse(target.url) == target)
            } catch {
                #expect(!error.hint.isEmpty)
            }
        }
    }
}
