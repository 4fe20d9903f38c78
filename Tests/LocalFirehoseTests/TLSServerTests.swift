import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

/// The API over TLS; the client is the product's own session, which is tested against OpenSSL's
/// server elsewhere.
@Suite(.serialized) struct TLSServerTests {
    nonisolated(unsafe) static let certificates = try! TestCertificates()
    static let pair = try! certificates.server()

    private static func context() throws -> UnsafePointer<TLSContext> {
        let made = UnsafeMutablePointer<TLSContext>.allocate(capacity: 1)
        made.initialize(
            to: try TLSContext.server(certificate: pair.certificate, key: pair.key))
        return UnsafePointer(made)
    }

    /// How a conversation went.
    private struct Talk {
        var text = ""
        var failure: TLSFailure?
        var saidGoodbye = false
        var hasEnded = false
    }

    private func talk(
        _ bench: FaultBench, _ bytes: [UInt8], quietMs: UInt64 = 5000
    ) throws -> Talk {
        let context = try TLSContext.client(
            trust: .authorities(path: Self.certificates.authority.certificate))
        var session = try TLSSession.client(context, serverName: "127.0.0.1")
        let client = try RawClient(port: bench.port)
        defer { client.close() }
        var talk = Talk()
        var isDone = false
        var room = [UInt8](repeating: 0, count: 64 << 10)
        let began = monotonicNanoseconds()
        do {
            isDone = try session.handshake()
            while monotonicNanoseconds() - began < quietMs * 1_000_000 {
                while session.bytesToTake > 0 {
                    let count = room.withUnsafeMutableBytes { session.take(into: $0) }
                    client.send(Array(room[..<count]), bench.loop)
                }
                bench.loop.runNoWait()
                let count = recv(client.descriptor, &room, room.count, Int32(MSG_DONTWAIT))
                if count == 0 || (count < 0 && errno == ECONNRESET) {
                    talk.hasEnded = true
                    break
                }
                if count < 0 { usleep(200) }
                if count > 0 {
                    room.withUnsafeBytes { session.receive(.init(rebasing: $0[..<count])) }
                }
                if !isDone {
                    isDone = try session.handshake()
                    if isDone {
                        for start in stride(from: 0, to: bytes.count, by: 32 << 10) {
                            let piece = Array(bytes[start..<min(start + 32 << 10, bytes.count)])
                            try piece.withUnsafeBytes { piece in
                                try session.write(piece)
                            }
                        }
                    }
                    continue
                }
                var plain = [UInt8](repeating: 0, count: 64 << 10)
                reading: while true {
                    let found = try plain.withUnsafeMutableBytes { plain in
                        try session.read(into: plain)
                    }
                    switch found {
                    case .bytes(let count):
                        talk.text += String(decoding: plain[..<count], as: UTF8.self)
                    case .nothing: break reading
                    case .closed:
                        talk.saidGoodbye = true
                        break reading
                    }
                }
                if talk.saidGoodbye || RawClient.isWhole(Array(talk.text.utf8)) { break }
            }
        } catch {
            talk.failure = error as? TLSFailure
        }
        return talk
    }

    @Test func `calls of every size arrive over TLS`() throws {
        let bench = try FaultBench(tls: try Self.context())
        #expect(try talk(bench, FaultBench.put()).text.contains("\"FailedPutCount\":0"))
        let large = [String](repeating: String(repeating: "x", count: 900_000) + "\n", count: 4)
        #expect(try talk(bench, FaultBench.put(large)).text.contains("\"FailedPutCount\":0"))
        #expect(bench.stored().utf8.count { $0 == UInt8(ascii: "x") } == 3_600_000)
        bench.stop()
    }

    @Test func `a request is answered and the connection closed with a goodbye where asked`()
        throws
    {
        let bench = try FaultBench(tls: try Self.context())
        let bye = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        #expect(try talk(bench, Array(bye.utf8)).text.contains("Hydrant's local Firehose"))
        bench.stop()
    }

    @Test func `who speaks plain HTTP to it is let go`() throws {
        let bench = try FaultBench(tls: try Self.context())
        #expect(try bench.answer(FaultBench.put()).hasEnded)
        bench.stop()
    }

    @Test func `large and dripped answers come whole`() throws {
        for kind in [Fault.Kind.largeBody, .drip, .chunked] {
            var fault = Fault(kind)
            if kind == .drip { fault.bytesPerSecond = 2000 }
            let bench = try FaultBench(fault, tls: try Self.context())
            let answer = try talk(bench, FaultBench.put(), quietMs: 20_000)
            #expect(answer.failure == nil && RawClient.isWhole(Array(answer.text.utf8)), "\(kind)")
            bench.stop()
        }
    }

    @Test(arguments: Fault.TLS.allCases)
    func `faults of TLS`(kind: Fault.TLS) throws {
        var fault = Fault(.tls)
        (fault.tls, fault.count) = (kind, 1)
        let bench = try FaultBench(fault, tls: try Self.context())
        let met = try talk(bench, FaultBench.put(), quietMs: kind == .silence ? 300 : 5000)
        switch kind {
        case .refuse: #expect(met.failure?.step == .handshake && met.text == "")
        case .silence: #expect(met.failure == nil && !met.hasEnded && met.text == "")
        case .garbage: #expect(met.failure?.step == .reading)
        case .truncate: #expect(met.hasEnded && !met.saidGoodbye && met.text == "")
        }
        let isStored = kind == .garbage || kind == .truncate
        #expect(bench.stored().hasSuffix("three\n") == isStored)
        #expect(try talk(bench, FaultBench.put()).text.contains("\"FailedPutCount\":0"))
        bench.stop()
    }

    @Test func `a certificate or key that cannot be used is named with the remedy`() throws {
        let other = try Self.certificates.server("another")
        func failure(_ certificate: String, _ key: String) -> String {
            do throws(TLSFailure) {
                _ = try TLSContext.server(certificate: certificate, key: key)
                return ""
            } catch {
                return error.description
            }
        }
        let missing = "/nonexistent/x.pem"
        #expect(failure(missing, Self.pair.key).contains("certificate in \(missing): No such file"))
        #expect(failure(Self.pair.certificate, missing).contains("key in \(missing): No such file"))
        #expect(
            failure(Self.pair.certificate, other.key).contains("key in \(other.key): is not"))
        #expect(failure("/dev/null", Self.pair.key).contains("must be a PEM file"))
        #expect(failure(Self.pair.certificate, "/dev/null").contains("must be a PEM file"))
        #expect(failure(Self.pair.certificate, Self.pair.key) == "")
        let old = try Self.certificates.server("old", days: -1)
        let context = try TLSContext.server(certificate: old.certificate, key: old.key)
        let flaw = context.untimelyCertificate
        #expect(flaw == "has expired")
    }
}

extension RawClient {
    /// All of it, the server's loop turning meanwhile.
    func send(_ bytes: [UInt8], _ loop: Loop) {
        var rest = bytes[...]
        for _ in 0..<100_000 where !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if sent > 0 { rest = rest.dropFirst(sent) } else if errno != EAGAIN { return }
            loop.runNoWait()
        }
    }
}
