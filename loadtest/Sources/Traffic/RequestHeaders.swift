import Core

/// The header fields of a plan: the generator's own, and the user's, which replace those of the same
/// name.
struct RequestHeaders {
    private let plan: LoadPlan

    /// Framing is the generator's business, and an interim answer is nothing it waits for.
    private static let refused = ["content-length", "transfer-encoding", "expect"]

    init(_ plan: LoadPlan) throws(TrafficFlaw) {
        self.plan = plan
        for header in plan.headers {
            let name = header.name.utf8
            guard !name.isEmpty, name.allSatisfy(isTokenByte) else {
                throw TrafficFlaw(
                    "\"\(header.name)\" cannot be the name of a header",
                    hint: "write -H 'Name: value'; a name has no spaces")
            }
            guard header.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
                throw TrafficFlaw(
                    "the value of header \(header.name) holds a control character",
                    hint: "a header is one line")
            }
            if Self.refused.contains(header.name.lowercased()) {
                throw TrafficFlaw(
                    "header \(header.name) cannot be set: it is part of how requests are framed",
                    hint: "leave it out; -d and -D give a body, whose length is sent")
            }
        }
    }

    func has(_ name: String) -> Bool {
        plan.headers.contains { $0.name.lowercased() == name.lowercased() }
    }

    /// `own` without those the user gives, Host before them, the user's behind.
    func text(_ own: [(name: String, value: String)]) -> String {
        var lines = ""
        for (name, value) in [("Host", plan.target.authority)] + own where !has(name) {
            lines += "\(name): \(value)\r\n"
        }
        for header in plan.headers { lines += "\(header.name): \(header.value)\r\n" }
        return lines
    }
}

/// What a method or the name of a header is made of (RFC 9110, 5.6.2).
func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

/// A target: what comes before its query, and the query without its question mark.
struct TargetParts {
    let path: String
    let query: String?

    init(_ target: String) throws(TrafficFlaw) {
        guard target.hasPrefix("/"), target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw TrafficFlaw(
                "\"\(target)\" is no path",
                hint: "it begins with / and holds no spaces; write those as %20")
        }
        guard let question = target.firstIndex(of: "?") else {
            (path, query) = (target, nil)
            return
        }
        path = String(target[..<question])
        let rest = String(target[target.index(after: question)...])
        query = rest.isEmpty ? nil : rest
    }

    /// What follows the label, or the path where there is none, after "&" or "?".
    var queryTail: String { query.map { "&" + $0 } ?? "" }
}

/// As a value in a query: what RFC 3986 calls unreserved stays.
func formEncoded(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: "~"):
            out.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let hex = String(byte, radix: 16, uppercase: true)
            out += "%" + (hex.count == 1 ? "0" : "") + hex
        }
    }
    return out
}
