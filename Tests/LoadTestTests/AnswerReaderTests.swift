import Testing

@testable import LoadTest

/// Where answers end decides what is counted, so it must not depend on how the bytes arrive.
@Suite struct AnswerReaderTests {
    private static let length = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
    private static let chunked =
        "HTTP/1.1 404 No\r\ntransfer-encoding: Chunked\r\n\r\n4;x=y\r\nwiki\r\n1A\r\n"
        + "abcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: 1\r\n\r\n"
    private static let empty = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"
    private static let old = "HTTP/1.0 302 Found\nContent-Length: 0\n\n"

    /// Feeds pieces; what came out, and whether all bytes were used.
    private func read(_ pieces: [[UInt8]], hasNoBody: Bool = false) -> [AnswerReader.Step] {
        var reader = AnswerReader()
        defer { reader.free() }
        var found: [AnswerReader.Step] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                var at = 0
                while at < bytes.count {
                    let step = reader.next(bytes, &at, hasNoBody: hasNoBody)
                    if step == .more { break }
                    found.append(step)
                    if step == .malformed { return }
                }
            }
        }
        return found
    }

    @Test func `answers are the same wherever the bytes are cut`() {
        let bytes = Array(
            (Self.length + Self.interim + Self.chunked + Self.old + Self.length + Self.empty).utf8)
        let whole = read([bytes])
        #expect(
            whole == [
                .answer(status: 200, keepsAlive: true), .answer(status: 404, keepsAlive: true),
                .answer(status: 302, keepsAlive: false), .answer(status: 200, keepsAlive: true),
                .answer(status: 204, keepsAlive: false),
            ])
        for cut in 0...bytes.count {
            #expect(read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(read(bytes.map { [$0] }) == whole)
    }

    @Test func `the answer to a HEAD has no body whatever its length says`() {
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n".utf8)
        #expect(
            read([head + head], hasNoBody: true)
                == Array(repeating: .answer(status: 200, keepsAlive: true), count: 2))
    }

    @Test func `an answer without a length ends with the connection`() {
        var reader = AnswerReader()
        let bytes = Array("HTTP/1.1 200 OK\r\n\r\nsome body".utf8)
        bytes.withUnsafeBytes {
            var at = 0
            #expect(reader.next($0, &at, hasNoBody: false) == .more)
            #expect(at == bytes.count)
        }
        #expect(reader.end() == .answer(status: 200, keepsAlive: false))
        #expect(reader.end() == nil)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "HTTP/2.0 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1234567890abcdef\r\n",
    ])
    func `what could be misread is malformed`(text: String) {
        let bytes = Array(text.utf8)
        #expect(read([bytes]).last == .malformed)
        #expect(read(bytes.map { [$0] }).last == .malformed)
    }

    @Test func `an endless head is malformed`() {
        let start = Array("HTTP/1.1 200 OK\r\n".utf8)
        let field = Array("X: 0123456789012345678901234567890123456789\r\n".utf8)
        let pieces = [start] + Array(repeating: field, count: 500)
        #expect(read(pieces).last == .malformed)
        #expect(read([Array(pieces.joined())]).last == .malformed)
    }
}
