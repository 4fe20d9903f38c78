import Core

/// A whole request. The body is readable for 64 bytes beyond its end, and only during the call.
struct HTTPRequest {
    var head: APIRequestHead
    var body: UnsafeRawBufferPointer
    /// Lower-case hex SHA-256 of the body.
    var bodyHash: String
    /// The client is on this machine.
    var isLoopback = true
}

struct HTTPAnswer: Equatable {
    struct Field: Equatable {
        var name: String
        var value: String
    }

    var status: Int
    var contentType: String
    var fields: [Field] = []
    var body: [UInt8]

    static func text(_ status: Int, _ text: String) -> HTTPAnswer {
        HTTPAnswer(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// As it goes over the wire.
    func bytes(nowSeconds: Int64, closes: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
        head += "Date: \(httpDate(unixSeconds: nowSeconds))\r\n"
        head += "Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if closes { head += "Connection: close\r\n" }
        return Array((head + "\r\n").utf8) + body
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        default: status < 500 ? "Error" : "Internal Server Error"
        }
    }
}
