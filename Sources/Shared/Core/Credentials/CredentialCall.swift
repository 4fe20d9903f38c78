/// One HTTP request of the credentials chain, whole, and how long it may take.
public struct CredentialCall: Equatable, Sendable {
    public var endpoint: ServiceEndpoint
    public var head: [UInt8]
    public var body: [UInt8]
    /// For the connection, and again for the answer.
    public var timeoutMs: UInt64

    /// - Parameters:
    ///   - path: what stands in the request line, query and all.
    ///   - headers: beside Host, User-Agent and Content-Length. None may hold a line break.
    init(
        _ method: String, _ endpoint: ServiceEndpoint, path: String,
        headers: [SigV4.Header] = [], body: [UInt8] = [], timeoutMs: UInt64
    ) {
        self.endpoint = endpoint
        self.body = body
        self.timeoutMs = timeoutMs
        var text = "\(method) \(path) HTTP/1.1\r\nHost: \(endpoint.authority)\r\n"
        text += "User-Agent: hydrant\r\nAccept: application/json\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        if method != "GET" { text += "Content-Length: \(body.count)\r\n" }
        head = Array((text + "\r\n").utf8)
    }
}

/// What came back.
public struct CredentialAnswer: Equatable, Sendable {
    public var status: Int
    public var body: [UInt8]
    /// The service's clock, from its `Date`.
    public var serverUnixSeconds: Int64?

    public init(status: Int, body: [UInt8], serverUnixSeconds: Int64? = nil) {
        self.status = status
        self.body = body
        self.serverUnixSeconds = serverUnixSeconds
    }

    public init(_ response: HTTPResponseReader) {
        self.init(
            status: response.status, body: response.body,
            serverUnixSeconds: response.header("date").flatMap { parseHTTPDate($0) })
    }

    /// The body when it is text for a header or a path: printable ASCII, white space around it left
    /// out.
    func word(byteCountMax: Int) -> String? {
        guard body.count <= byteCountMax else { return nil }
        let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let word = body.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard !word.isEmpty, word.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return String(decoding: Array(word), as: UTF8.self)
    }
}
