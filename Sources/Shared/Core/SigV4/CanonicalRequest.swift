/// AWS Signature Version 4: what both sides, signer and verifier, compute alike.
public enum SigV4 {
    public static let algorithm = "AWS4-HMAC-SHA256"
    public static let terminator = "aws4_request"

    public struct Header: Equatable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What a signature covers: "POST\n/\n\nhost:…\n\nhost;…\nHASH".
    ///
    /// - Parameters:
    ///   - path: as on the request line, without query.
    ///   - query: as on the request line, without "?"; empty if none.
    ///   - headers: all of the request's, any case, any order; repeated ones are joined by commas.
    ///   - signedHeaders: names, lower case, in the order of the signature (which must be sorted).
    ///   - payloadHash: lower-case hex SHA-256 of the body.
    /// - Returns: nil when a signed header is absent: nothing was signed, then.
    public static func canonicalRequest(
        method: String, path: String, query: String, headers: [Header], signedHeaders: [String],
        payloadHash: String
    ) -> String? {
        var text = method + "\n" + canonicalPath(path) + "\n" + canonicalQuery(query) + "\n"
        for name in signedHeaders {
            let values = headers.filter { $0.name.lowercased() == name }
            if values.isEmpty { return nil }
            let value = values.map { collapsed($0.value) }.joined(separator: ",")
            text += name + ":" + value + "\n"
        }
        return text + "\n" + signedHeaders.joined(separator: ";") + "\n" + payloadHash
    }

    public static func stringToSign(
        amzDate: String, scope: CredentialScope, canonicalRequest: String
    ) -> String {
        algorithm + "\n" + amzDate + "\n" + scope.text + "\n"
            + lowerHex(Sha256.digest(canonicalRequest))
    }

    /// Trimmed, and runs of inner spaces made one.
    static func collapsed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    /// Dot segments and doubled slashes removed, then percent-encoded (a second time, if it came
    /// encoded): the rule for every service but S3.
    static func canonicalPath(_ path: String) -> String {
        var kept: [Substring] = []
        for segment in path.split(separator: "/") {
            if segment == ".." {
                _ = kept.popLast()
            } else if segment != "." {
                kept.append(segment)
            }
        }
        if kept.isEmpty { return "/" }
        let tail = path.hasSuffix("/") ? "/" : ""
        return "/" + kept.map { encoded(Array($0.utf8)) }.joined(separator: "/") + tail
    }

    /// Parameters decoded, encoded in the one canonical way, and sorted by name, then value.
    static func canonicalQuery(_ query: String) -> String {
        if query.isEmpty { return "" }
        let pairs = query.split(separator: "&").map { pair -> (name: String, value: String) in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                encoded(decoded(halves[0])), halves.count == 2 ? encoded(decoded(halves[1])) : ""
            )
        }
        let sorted = pairs.sorted {
            $0.name == $1.name
                ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        return sorted.map { $0.name + "=" + $0.value }.joined(separator: "&")
    }

    /// RFC 3986: everything but the unreserved characters becomes %XX, upper case.
    static func encoded(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                out.append(byte)
            default:
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// %XX resolved; a percent sign that starts no escape stands for itself.
    static func decoded(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let high = hexValue(bytes[at + 1]), let low = hexValue(bytes[at + 2])
            {
                out.append(high << 4 | low)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
