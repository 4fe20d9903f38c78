import Core
import Foundation
import TestSupport
import Testing

@Suite struct HTTPDateTests {
    private func date(_ unixSeconds: UInt64) -> String {
        var bytes = [UInt8](repeating: 0, count: HTTPDate.byteCount)
        bytes.withUnsafeMutableBufferPointer {
            HTTPDate.write(unixSeconds: unixSeconds, to: $0.baseAddress!)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),  // RFC 9110's example
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `known moments are written as RFC 9110 asks`(_ unixSeconds: Int, _ text: String) {
        #expect(date(UInt64(unixSeconds)) == text)
    }

    @Test func `any second is what Foundation says it is`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var dice = SeededDice(seed: 0x4441_5445)
        for _ in 0..<2000 {
            let second = UInt64.random(in: 0..<253_402_300_800, using: &dice)
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(second)))
            if date(second) != expected { Issue.record("\(second): \(date(second))") }
        }
    }
}

@Suite struct HTTPAnswerTests {
    private static let moment: UInt64 = 784_111_777

    private func text(
        _ answer: Answer, _ persistence: AnswerTable.Persistence = .implied, isHead: Bool = false
    ) -> [UInt8] {
        let table = AnswerTable(unixSeconds: Self.moment)
        return Array(table.bytes(answer, persistence, isHead: isHead))
    }

    @Test(arguments: [(Answer.pixel, "200 OK"), (.invalidPixel, "400 Bad Request")])
    func `an answer with the pixel is these bytes`(_ answer: Answer, _ status: String) {
        let head = """
            HTTP/1.1 \(status)\r
            Date: Sun, 06 Nov 1994 08:49:37 GMT\r
            Content-Type: image/gif\r
            Content-Length: 43\r
            Cache-Control: no-store, no-cache, must-revalidate, private, max-age=0\r
            Cross-Origin-Resource-Policy: cross-origin\r
            \r

            """
        #expect(text(answer) == Array(head.utf8) + AnswerTable.gif)
        #expect(text(answer, isHead: true) == Array(head.utf8))
    }

    @Test(
        arguments: [
            (.notFound, "404 Not Found", "", "404: no such path. The pixel is at /p.gif.\n"),
            (
                .methodNotAllowed, "405 Method Not Allowed", "Allow: GET, HEAD\r\n",
                "405: the pixel takes GET and HEAD.\n"
            ),
            (
                .unavailable, "503 Service Unavailable", "Retry-After: 2\r\n",
                "503: not stored for certain; try again.\n"
            ),
            (.badRequest, "400 Bad Request", "", "400: this is no HTTP/1.1 request.\n"),
            (
                .contentTooLarge, "413 Content Too Large", "",
                "413: the body is too large; the pixel needs none.\n"
            ),
            (.targetTooLong, "414 URI Too Long", "", "414: the request line is over 16 KiB.\n"),
            (
                .headTooLarge, "431 Request Header Fields Too Large", "",
                "431: the request head is over 16 KiB or 100 fields.\n"
            ),
            (
                .codingUnknown, "501 Not Implemented", "",
                "501: no transfer coding is understood here; use Content-Length.\n"
            ),
            (
                .versionUnknown, "505 HTTP Version Not Supported", "",
                "505: HTTP/1.0 and HTTP/1.1 are spoken here.\n"
            ),
        ] as [(Answer, String, String, String)])
    func `every other answer is these bytes`(
        _ answer: Answer, _ status: String, _ fields: String, _ body: String
    ) {
        let expected = """
            HTTP/1.1 \(status)\r
            Date: Sun, 06 Nov 1994 08:49:37 GMT\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Length: \(body.utf8.count)\r
            Cache-Control: no-store, no-cache, must-revalidate, private, max-age=0\r
            Cross-Origin-Resource-Policy: cross-origin\r
            \(fields)Connection: close\r
            \r
            \(body)
            """
        #expect(String(decoding: text(answer, .close), as: UTF8.self) == expected)
    }

    @Test(arguments: Answer.allCases, AnswerTable.Persistence.allCases)
    func `each answer says its true length, and for HEAD the same without a body`(
        _ answer: Answer, _ persistence: AnswerTable.Persistence
    ) throws {
        let whole = text(answer, persistence)
        let end = try #require(whole.firstRange(of: Array("\r\n\r\n".utf8)))
        let head = String(decoding: whole[..<end.lowerBound], as: UTF8.self)
        let lines = head.components(separatedBy: "\r\n").dropFirst()
        let body = whole[end.upperBound...]
        #expect(
            lines.filter { $0.hasPrefix("Content-Length: ") } == ["Content-Length: \(body.count)"])
        #expect(body.count > 0)
        let connection: [String] =
            switch persistence {
            case .implied: []
            case .keepAlive: ["Connection: keep-alive"]
            case .close: ["Connection: close"]
            }
        #expect(lines.filter { $0.hasPrefix("Connection:") } == connection)
        #expect(text(answer, persistence, isHead: true) == Array(whole[..<end.upperBound]))
        #expect(whole.count <= AnswerTable.answerBytesMax)
    }

    @Test func `the date is renewed in every answer and nothing else moves`() {
        var table = AnswerTable(unixSeconds: Self.moment)
        table.renewDate(unixSeconds: Self.moment + 1)
        for answer in Answer.allCases {
            let before = String(decoding: text(answer), as: UTF8.self)
            let after = String(
                decoding: table.bytes(answer, .implied, isHead: false), as: UTF8.self)
            #expect(after == before.replacingOccurrences(of: "08:49:37", with: "08:49:38"))
            #expect(after != before)
        }
    }

    @Test func `the GIF is one transparent pixel, read by its own rules`() {
        let gif = AnswerTable.gif
        #expect(gif.count == 43)
        #expect(gif.starts(with: Array("GIF89a".utf8)))
        #expect(gif[6...9] == [1, 0, 1, 0])  // a screen of 1 × 1
        #expect(gif[10] & 0x80 != 0 && gif[10] & 7 == 0)  // a global table of two colours
        #expect(gif[19...21] == [0x21, 0xf9, 4])  // graphic control
        #expect(gif[22] & 1 == 1)  // a transparent colour is named, in byte 25
        #expect(gif[27] == 0x2c)  // an image of 1 × 1
        #expect(gif[32...35] == [1, 0, 1, 0])
        #expect(gif[38] == 2)  // its data: one block of two bytes
        #expect(onePixel(lzw: Array(gif[39...40]), minimumCodeBits: gif[37]) == gif[25])
        #expect(gif[41...42] == [0, 0x3b])
    }

    /// The colour of a one-pixel image: clear code, colour, end code.
    private func onePixel(lzw: [UInt8], minimumCodeBits: UInt8) -> UInt8? {
        let bits = lzw.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let width = Int(minimumCodeBits) + 1
        let codes = (0..<3).map { bits >> (width * $0) & (1 << width - 1) }
        let clear = 1 << Int(minimumCodeBits)
        guard codes[0] == clear, codes[2] == clear + 1, codes[1] < clear else { return nil }
        return UInt8(codes[1])
    }
}
