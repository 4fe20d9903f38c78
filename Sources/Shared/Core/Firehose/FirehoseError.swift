/// The error in a response: `{"__type":"X","message":"…"}`, with the code possibly in the header
/// x-amzn-errortype, or XML as other services (and stand-ins) answer.
public struct FirehoseError: Equatable, Sendable {
    /// Empty when the response names none.
    public var code: String
    public var message: String

    static let messageBytesMax = 300

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public init(errorTypeHeader: String?, body: UnsafeRawBufferPointer) {
        var (code, message) = Self.json(body) ?? Self.xml(body)
        if code.isEmpty { code = errorTypeHeader ?? "" }
        self.code = Self.bare(code)
        if message.utf8.count > Self.messageBytesMax {
            message = String(message.prefix(Self.messageBytesMax))
        }
        self.message = printable(message)
    }

    /// The body of an error response, as the service writes it.
    public var body: String {
        "{\"__type\":\(jsonQuoted(code)),\"message\":\(jsonQuoted(message))}"
    }

    private static func json(_ body: UnsafeRawBufferPointer) -> (String, String)? {
        var scanner = JSONScanner(body)
        var code = ""
        var message = ""
        do {
            try scanner.object { (it, name) throws(JSONScanner.Flaw) in
                switch name {
                case "__type": code = try it.textOrNull()?.string(bytesMax: 256) ?? ""
                case "message", "Message":
                    let text = try it.textOrNull()?.string(bytesMax: messageBytesMax) ?? ""
                    if message.isEmpty { message = text }
                default: try it.skip()
                }
            }
        } catch { return nil }
        return (code, message)
    }

    /// `<Code>…</Code>` and `<Message>…</Message>` if they are there, else the text's beginning.
    private static func xml(_ body: UnsafeRawBufferPointer) -> (String, String) {
        let text = String(decoding: body.prefix(4096), as: UTF8.self)
        func element(_ name: String) -> String? {
            guard let open = text.firstRange(of: "<\(name)>"),
                let close = text[open.upperBound...].firstRange(of: "</\(name)>")
            else { return nil }
            return String(text[open.upperBound..<close.lowerBound])
        }
        return (element("Code") ?? "", element("Message") ?? String(text.prefix(100)))
    }

    /// "com.amazonaws#X:http://…" is X.
    private static func bare(_ code: String) -> String {
        let beforeColon = code.prefix { $0 != ":" }
        let name = beforeColon.split(separator: "#").last ?? ""
        return String(name.prefix(80).filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }
}

/// Text of a stranger's, fit for a log line: control characters become spaces.
func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
}
