/// What STS answers to AssumeRole and AssumeRoleWithWebIdentity: XML, of which a few elements count.
enum STSAnswer: Equatable {
    case found(CredentialText)
    /// `code` is "" when the answer names none.
    case refused(code: String, message: String)
    case unreadable

    static let byteCountMax = 64 << 10

    init(status: Int, body: [UInt8]) {
        let text = String(decoding: body.prefix(Self.byteCountMax), as: UTF8.self)
        if status == 200 {
            self = Self.granted(text).map { .found($0) } ?? .unreadable
        } else {
            let error = XMLElement(named: "Error", in: text[...])?.inner ?? text[...]
            func element(_ name: String) -> String {
                let words = XMLElement(named: name, in: error)?.text ?? ""
                return printable(String(words.prefix(300)))
            }
            self = .refused(code: element("Code"), message: element("Message"))
        }
    }

    /// Nil unless the answer is whole.
    private static func granted(_ text: String) -> CredentialText? {
        for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
            guard let answer = XMLElement(named: action + "Response", in: text[...])?.inner,
                let result = XMLElement(named: action + "Result", in: answer)?.inner,
                let given = XMLElement(named: "Credentials", in: result)?.inner
            else { continue }
            func element(_ name: String) -> String {
                XMLElement(named: name, in: given)?.text ?? ""
            }
            var it = CredentialText()
            it.accessKeyID = element("AccessKeyId")
            it.secretAccessKey = element("SecretAccessKey")
            it.sessionToken = element("SessionToken")
            it.expiration = element("Expiration")
            let user = XMLElement(named: "AssumedRoleUser", in: result)?.inner
            it.roleARN = user.flatMap { XMLElement(named: "Arn", in: $0)?.text } ?? ""
            return it
        }
        return nil
    }
}

/// The first element of a name in a text, without regard to what is around it. Enough for a service
/// whose answers are flat, and gives nothing when they are cut short.
private struct XMLElement {
    var inner: Substring

    init?(named name: String, in text: Substring) {
        guard let open = Self.openTag(name, in: text),
            let close = text[open...].firstRange(of: "</\(name)>")
        else { return nil }
        inner = text[open..<close.lowerBound]
    }

    /// Behind "<name>" or "<name attributes>".
    private static func openTag(_ name: String, in text: Substring) -> String.Index? {
        var rest = text
        while let found = rest.firstRange(of: "<\(name)") {
            rest = rest[found.upperBound...]
            guard let next = rest.first else { return nil }
            if next == ">" { return rest.index(after: rest.startIndex) }
            if next == " " || next == "\n" || next == "\t" || next == "\r" {
                guard let end = rest.firstIndex(of: ">") else { return nil }
                return rest.index(after: end)
            }
        }
        return nil
    }

    /// Its words, with XML's five escapes resolved.
    var text: String {
        var out = ""
        var rest = inner[...]
        while let ampersand = rest.firstIndex(of: "&") {
            out += rest[..<ampersand]
            rest = rest[ampersand...]
            let escapes = [
                ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"),
            ]
            if let (name, character) = escapes.first(where: { rest.hasPrefix($0.0) }) {
                out += character
                rest = rest.dropFirst(name.count)
            } else {
                out += "&"
                rest = rest.dropFirst()
            }
        }
        out += rest
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        return String(out.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
