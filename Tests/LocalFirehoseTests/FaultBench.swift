import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

/// A whole local Firehose on a loopback socket, and a client of raw bytes, on one thread.
final class FaultBench {
    static let credentials = Credentials(accessKeyID: "AKID", secretAccessKey: "secret")
    let folder = TemporaryFolder()
    let counters = OwnCounters()
    let loop: Loop
    let service: FirehoseService
    let port: UInt16
    private(set) var logged: [String] = []

    init(_ faults: Fault..., tls: UnsafePointer<TLSContext>? = nil) throws {
        loop = try Loop.make()
        let descriptor = try bindTCP(address: "127.0.0.1", port: 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        var log: (String) -> Void = { _ in }
        service = try FirehoseService(
            loop: loop, listenDescriptor: descriptor, dataFolder: folder.path, sink: .objects,
            bufferIntervalMs: 3_600_000, credentials: Self.credentials, region: "us-east-1",
            good: goodTable, bad: badTable, streams: ["good", "other"], badStreams: ["bad"],
            routerOrigin: "http://127.0.0.1:8080", tls: tls,
            faults: FaultEntries(faults: Array(faults)), counters: counters.page,
            log: { log($0) })
        log = { [unowned self] in logged.append($0) }
    }

    /// Ends the service; the loop has nothing left after it.
    func stop() {
        var isStopped = false
        service.stop(workMsMax: 0) { isStopped = true }
        #expect(
            eventually(within: 10, everyMilliseconds: 1) {
                loop.runNoWait(); return isStopped
            })
    }

    /// What the buffer file of the stream has taken, frames' heads included.
    func stored(_ stream: String = "good") -> String {
        folder.files(below: "local/streams/\(stream)").filter { $0.hasPrefix("buffer-") }.map {
            String(decoding: folder.contents("local/streams/\(stream)/\($0)"), as: UTF8.self)
        }.joined()
    }

    func tally(_ name: String) throws -> [String: Int64] {
        let json = JSONValue(parsing: Array(try answer(Self.admin("GET")).body.utf8))
        guard case .array(let entries)? = json?["faults"] else { return [:] }
        var found: [String: Int64] = [:]
        for field in entries.first(where: { $0["name"]?.text == name })?.fields ?? [] {
            if let number = field.value.integer { found[field.key] = number }
        }
        return found
    }

    // MARK: A client

    struct Answer {
        var text: String
        /// The server ended it: orderly, or with a reset.
        var hasEnded = false
        var wasReset = false
        var milliseconds: UInt64 = 0

        var status: Int { Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0 }
        var body: String { text.components(after: "\r\n\r\n") }
        var json: JSONValue? { JSONValue(parsing: Array(body.utf8)) }
    }

    /// Sends bytes over a connection of its own and gathers what comes, until it has ended, an answer
    /// with a length is whole, or nothing comes for so long.
    func answer(_ bytes: [UInt8], quietMs: UInt64 = 5000) throws -> Answer {
        let client = try RawClient(port: port)
        defer { client.close() }
        return client.exchange(bytes, loop, quietMs: quietMs)
    }

    static func admin(_ method: String, _ body: String = "", _ fields: String = "") -> [UInt8] {
        Array(
            ("\(method) /_hydrant/faults HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\(fields)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8)
    }

    /// A signed PutRecordBatch of records with these texts.
    static func put(
        _ records: [String] = ["one\n", "two\n", "three\n"], to stream: String = "good",
        secondsOff: Int64 = 0
    ) -> [UInt8] {
        let data = records.map { "{\"Data\":\"\(base64($0))\"}" }.joined(separator: ",")
        return call(
            "PutRecordBatch", "{\"DeliveryStreamName\":\"\(stream)\",\"Records\":[\(data)]}",
            secondsOff: secondsOff)
    }

    static func call(_ operation: String, _ body: String, secondsOff: Int64 = 0) -> [UInt8] {
        let date = amzDate(
            unixSeconds: Int64(realtimeMicroseconds() / 1_000_000) + secondsOff)
        var headers = [
            SigV4.Header("Host", "127.0.0.1"),
            SigV4.Header("Content-Type", "application/x-amz-json-1.1"),
            SigV4.Header("X-Amz-Date", date),
            SigV4.Header("X-Amz-Target", "Firehose_20150804.\(operation)"),
        ]
        var signer = SigV4.Signer(region: "us-east-1", service: "firehose")
        headers.append(
            SigV4.Header(
                "Authorization",
                signer.authorization(
                    credentials: credentials, amzDate: date, method: "POST", path: "/",
                    headers: headers, payloadHash: lowerHex(Sha256.digest(body)))))
        let head = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        return Array(
            "POST / HTTP/1.1\r\n\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }
}

func base64(_ text: String) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
        let word = group[0] << 16 | group[1] << 8 | group[2]
        let count = min(3, bytes.count - start)
        for place in 0..<4 {
            out.append(
                place <= count
                    ? letters[Int(word >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: out, as: UTF8.self)
}

extension String {
    /// What follows the first of it; empty when it is not there.
    func components(after mark: String) -> String {
        guard let found = firstRange(of: mark) else { return "" }
        return String(self[found.upperBound...])
    }
}

/// A blocking-free socket of bytes.
final class RawClient {
    let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(status == 0)
    }

    func close() { _ = Glibc.close(descriptor) }

    func exchange(_ bytes: [UInt8], _ loop: Loop, quietMs: UInt64) -> FaultBench.Answer {
        var answer = FaultBench.Answer(text: "")
        var gathered: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        var rest = bytes[...]
        let began = monotonicNanoseconds()
        var heard = began
        while monotonicNanoseconds() - heard < quietMs * 1_000_000 {
            if !rest.isEmpty {
                let sent = rest.withUnsafeBytes {
                    Glibc.send(
                        descriptor, $0.baseAddress, $0.count,
                        Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
                if sent > 0 { rest = rest.dropFirst(sent) }
            }
            loop.runNoWait()
            let count = recv(descriptor, &room, room.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                gathered += room[..<count]
                heard = monotonicNanoseconds()
                if Self.isWhole(gathered) { break }
            } else if count == 0 || errno == ECONNRESET {
                answer.hasEnded = true
                answer.wasReset = count < 0
                break
            } else {
                usleep(200)
            }
        }
        answer.milliseconds = (monotonicNanoseconds() - began) / 1_000_000
        answer.text = String(decoding: gathered, as: UTF8.self)
        return answer
    }

    /// An answer with its length has come whole, or a chunked one its last chunk.
    static func isWhole(_ bytes: [UInt8]) -> Bool {
        let marks = (bytes.firstRange(of: Array("\r\n\r\n".utf8)), Array("0\r\n\r\n".utf8))
        guard let end = marks.0?.upperBound else { return false }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        if head.contains("chunked") { return bytes.suffix(5) == marks.1[...] }
        let length = head.components(after: "Content-Length: ").prefix { $0 != "\r\n" }
        return Int(length).map { bytes.count - end >= $0 } ?? false
    }
}
