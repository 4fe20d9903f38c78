import Core

/// What the admin listener answers to the bytes of a request. Pure: bytes in, bytes out.
///
///     GET, HEAD /healthz          200 "ok": the supervisor runs its loop
///     GET, HEAD /readyz           200, or 503 with the reasons, as JSON
///     GET, HEAD /readyz?strict    the same, warnings counted as reasons
///
/// One request a connection: every answer closes it.
enum AdminAnswer {
    /// Heads beyond this are refused: monitors and load balancers send a few hundred bytes.
    static let headBytesMax = 8192

    /// Nil: the head is not whole yet.
    static func answer(
        _ bytes: UnsafeRawBufferPointer, unixSeconds: UInt64, readiness: () -> Readiness
    ) -> [UInt8]? {
        var head = RequestHead()
        func refuse(_ status: Int, _ phrase: String) -> [UInt8] {
            Answer(status, phrase, body: "\(phrase.lowercased())\n").bytes(
                unixSeconds, isHead: false)
        }
        switch parseRequestHead(bytes, into: &head) {
        case .incomplete:
            return bytes.count < headBytesMax
                ? nil : refuse(431, "Request Header Fields Too Large")
        case .malformed: return refuse(400, "Bad Request")
        case .targetTooLong: return refuse(414, "URI Too Long")
        case .headTooLarge: return refuse(431, "Request Header Fields Too Large")
        case .codingUnknown: return refuse(501, "Not Implemented")
        case .versionUnknown: return refuse(505, "HTTP Version Not Supported")
        case .complete: break
        }
        return answer(head, readiness).bytes(unixSeconds, isHead: head.method == .head)
    }

    private static func answer(_ head: RequestHead, _ readiness: () -> Readiness) -> Answer {
        let target = String(decoding: head.target, as: UTF8.self)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first ?? ""
        guard path == "/healthz" || path == "/readyz" else {
            return Answer(404, "Not Found", body: "known here: /healthz, /readyz\n")
        }
        guard head.method != .other else {
            return Answer(
                405, "Method Not Allowed", fields: "Allow: GET, HEAD\r\n",
                body: "GET or HEAD\n")
        }
        if path == "/healthz" { return Answer(200, "OK", body: "ok\n") }
        let isStrict = parts.count == 2 && parts[1].split(separator: "&").contains("strict")
        let now = readiness()
        let isReady = now.isReady(strict: isStrict)
        return Answer(
            isReady ? 200 : 503, isReady ? "OK" : "Service Unavailable",
            type: "application/json", body: now.json(strict: isStrict))
    }

    private struct Answer {
        var status: Int
        var phrase: String
        var type: String
        var fields: String
        var body: String

        init(
            _ status: Int, _ phrase: String, type: String = "text/plain; charset=utf-8",
            fields: String = "", body: String
        ) {
            (self.status, self.phrase, self.type) = (status, phrase, type)
            (self.fields, self.body) = (fields, body)
        }

        func bytes(_ unixSeconds: UInt64, isHead: Bool) -> [UInt8] {
            let date = [UInt8](unsafeUninitializedCapacity: HTTPDate.byteCount) { room, count in
                HTTPDate.write(unixSeconds: unixSeconds, to: room.baseAddress!)
                count = HTTPDate.byteCount
            }
            let head =
                "HTTP/1.1 \(status) \(phrase)\r\n"
                + "Date: \(String(decoding: date, as: UTF8.self))\r\n"
                + "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
                + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                + fields + "Connection: close\r\n\r\n"
            return Array((isHead ? head : head + body).utf8)
        }
    }
}
