import Core

/// Where the load goes: a URL, taken apart.
struct LoadTarget: Codable, Equatable, Sendable {
    var isTLS: Bool
    /// A name, or an address without brackets.
    var host: String
    var port: UInt16
    /// Path and query, beginning with "/".
    var path: String

    /// As the Host header has it.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The whole URL.
    var url: String { "\(isTLS ? "https" : "http")://\(authority)\(path)" }
}

extension LoadTarget {
    /// With it every head stays below what a request may have.
    static let pathBytesMax = 32 << 10
    static let example = "write it like http://127.0.0.1:8080/p.gif?uid=1"

    /// Reads an http or https URL. Without a scheme it is http. Path and query are kept byte for
    /// byte: what looks odd in them may be what the test is about.
    static func parse(_ text: String) throws(PlanRefusal) -> LoadTarget {
        try checkBytes(text)
        var rest = text[...]
        var isTLS = false
        if let mark = text.range(ofFirst: "://") {
            isTLS = try schemeIsTLS(text[..<mark.lowerBound], in: text)
            rest = text[mark.upperBound...]
        }
        let authority = rest.prefix { !["/", "?", "#"].contains($0) }
        let path = try checkedPath(rest[authority.endIndex...], in: text)
        if authority.contains("@") {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) holds a user name or a password",
                hint: "leave it out and send it as a header: -H 'Authorization: Basic …'")
        }
        let (host, portText) = try split(authority, in: text)
        let port = try portText.map { (word) throws(PlanRefusal) in
            try checkedPort(word, in: text)
        }
        return LoadTarget(isTLS: isTLS, host: host, port: port ?? (isTLS ? 443 : 80), path: path)
    }

    private static func checkBytes(_ text: String) throws(PlanRefusal) {
        if text.isEmpty { throw PlanRefusal("the URL is empty", hint: example) }
        for scalar in text.unicodeScalars {
            if scalar == " " {
                throw PlanRefusal(
                    "the URL \(PlanRefusal.quoted(text)) holds a space",
                    hint: "write %20 for a space within it")
            }
            if scalar.value < 0x20 || scalar.value == 0x7F {
                throw PlanRefusal(
                    "the URL \(PlanRefusal.quoted(text)) holds a control character",
                    hint: "remove it, or write it percent-encoded: %0A for a line's end")
            }
        }
    }

    private static func schemeIsTLS(
        _ scheme: Substring, in text: String
    ) throws(PlanRefusal) -> Bool {
        switch scheme.lowercased() {
        case "http": return false
        case "https": return true
        default:
            let near = NearestWord.to(String(scheme), among: ["http", "https"])
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) is neither http nor https",
                hint: near.map { "did you mean \($0)://?" } ?? example)
        }
    }

    private static func checkedPath(
        _ rest: Substring, in text: String
    ) throws(PlanRefusal) -> String {
        if rest.contains("#") {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) has a fragment, which no client sends",
                hint: "remove \"#\" and what follows, or write %23 for a \"#\" within it")
        }
        guard rest.utf8.count <= pathBytesMax else {
            throw PlanRefusal(
                "the path of the URL has \(rest.utf8.count) bytes",
                hint: "at most \(pathBytesMax) are sent")
        }
        return rest.hasPrefix("/") ? String(rest) : "/" + rest
    }

    /// Host without brackets, and what follows its colon.
    private static func split(
        _ authority: Substring, in text: String
    ) throws(PlanRefusal) -> (String, Substring?) {
        guard authority.hasPrefix("[") else {
            let parts = authority.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[1].contains(":") {
                throw PlanRefusal(
                    "\(PlanRefusal.quoted(text)) has more than one colon in its host",
                    hint: "write an IPv6 address in brackets: http://[::1]:8080/")
            }
            return (
                try checkedName(parts.first ?? "", in: text), parts.count == 2 ? parts[1] : nil
            )
        }
        let inside = authority.dropFirst().prefix { $0 != "]" }
        let after = authority[inside.endIndex...].dropFirst()
        guard inside.endIndex < authority.endIndex, IPLiteral.isV6(inside),
            after.isEmpty || after.hasPrefix(":")
        else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) has brackets without an IPv6 address",
                hint: "write http://[::1]:8080/")
        }
        return (String(inside), after.isEmpty ? nil : after.dropFirst())
    }

    private static func checkedName(
        _ name: Substring, in text: String
    ) throws(PlanRefusal) -> String {
        if name.isEmpty {
            throw PlanRefusal("\(PlanRefusal.quoted(text)) has no host", hint: example)
        }
        if name.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }) {
            guard IPLiteral.isV4(name) else {
                throw PlanRefusal(
                    "\(PlanRefusal.quoted(name)) is not an IPv4 address",
                    hint: "four numbers up to 255: 127.0.0.1")
            }
            return String(name)
        }
        let labels = (name.hasSuffix(".") ? name.dropLast() : name)
            .split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            name.utf8.count <= 253
            && labels.allSatisfy {
                (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(isNameByte)
            }
        guard isName else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(name)) is not a host's name",
                hint: name.utf8.contains { $0 >= 0x80 }
                    ? "write the name in its ASCII form: xn--…" : example)
        }
        return String(name)
    }

    private static func checkedPort(
        _ word: Substring, in text: String
    ) throws(PlanRefusal) -> UInt16 {
        guard word.utf8.allSatisfy(isDigit), let port = UInt16(word), port > 0 else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) has \(PlanRefusal.quoted(word)) as its port",
                hint: "ports are 1 to 65535; " + example)
        }
        return port
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}

extension String {
    /// Of the first place where an ASCII text stands, if it comes before any path.
    fileprivate func range(ofFirst mark: String) -> Range<Index>? {
        guard let colon = firstIndex(where: { [":", "/", "?", "#"].contains($0) }),
            self[colon...].hasPrefix(mark)
        else { return nil }
        return colon..<index(colon, offsetBy: mark.count)
    }
}
