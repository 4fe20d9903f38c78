import COpenSSL
import TestSupport
import Testing

@testable import Platform

/// Client and server in memory: every byte between them is seen, and can be cut or spoilt.
@Suite struct TLSTests {
    private let certificates: TestCertificates
    private let pair: TestCertificates.Pair

    init() throws {
        certificates = try TestCertificates()
        pair = try certificates.server()
    }

    private func context(_ trust: TLSContext.Trust? = nil) throws -> TLSContext {
        try TLSContext.client(
            trust: trust ?? .authorities(path: certificates.authority.certificate))
    }

    private func client(
        _ name: String = "localhost", trust: TLSContext.Trust? = nil
    ) throws -> TLSSession {
        try TLSSession.client(try context(trust), serverName: name)
    }

    private func server(
        _ pair: TestCertificates.Pair? = nil,
        versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION
    ) throws -> TLSPeer {
        let pair = pair ?? self.pair
        return try TLSPeer(certificate: pair.certificate, key: pair.key, versions: versions)
    }

    /// Goes back and forth until both are done, with so many bytes at a time towards the client.
    private func shakeHands(
        _ client: inout TLSSession, _ server: TLSPeer, bytesAtATime: Int = TLSSession.sliceBytesMax
    ) throws {
        var (clientIsDone, serverIsDone) = (false, false)
        for _ in 0..<10 where !(clientIsDone && serverIsDone) {
            if !clientIsDone { clientIsDone = try client.handshake() }
            server.receive(client.takeAll())
            if !serverIsDone { serverIsDone = try server.handshake() }
            let bytes = server.take()
            for at in stride(from: 0, to: bytes.count, by: bytesAtATime) {
                client.receive(all: Array(bytes[at..<min(bytes.count, at + bytesAtATime)]))
                if !clientIsDone { clientIsDone = try client.handshake() }
            }
        }
        #expect(clientIsDone && serverIsDone)
    }

    /// Why the handshake failed, and what the server was told of it.
    private func refusal(
        of client: consuming TLSSession, by server: TLSPeer
    ) throws -> (failure: TLSFailure?, told: String) {
        var client = client
        do { try shakeHands(&client, server) } catch let failure as TLSFailure {
            server.receive(client.takeAll())
            do {
                _ = try server.handshake()
                _ = server.read()
                let last = ERR_peek_last_error()
                return (failure, last == 0 ? "" : String(cString: ERR_reason_error_string(last)))
            } catch let told as TLSPeer.Broken {
                return (failure, told.description)
            }
        }
        return (nil, "")
    }

    // MARK: What works

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a request goes out and its answer comes back`(version: Int32) throws {
        var client = try client()
        let server = try server(versions: version...version)
        try shakeHands(&client, server)
        #expect(server.version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"))
        #expect(server.serverName == "localhost" && server.protocolName == "http/1.1")
        #expect(try client.readAll() == ([], .nothing))

        try client.write(all: Array("GET / HTTP/1.1\r\n\r\n".utf8))
        let sent = client.takeAll()
        #expect(!sent.contains(Array("GET".utf8)))
        server.receive(sent)
        #expect(server.read() == Array("GET / HTTP/1.1\r\n\r\n".utf8))
        server.write(Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
        client.receive(all: server.take())
        #expect(try client.readAll() == (Array("HTTP/1.1 200 OK\r\n\r\n".utf8), .nothing))
        #expect(client.bytesToTake == 0)
    }

    @Test func `bytes that come one at a time are the same bytes`() throws {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server, bytesAtATime: 1)
        let text = (0..<3000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        server.write(text)
        var got: [UInt8] = []
        for byte in server.take() {
            client.receive(all: [byte])
            got += try client.readAll().bytes
        }
        #expect(got == text)
    }

    @Test func `a megabyte in slices, each way, whatever the room`() throws {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server)
        var dice = SeededDice(seed: 7)
        let text = (0..<1 << 20).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        for at in stride(from: 0, to: text.count, by: TLSSession.sliceBytesMax) {
            try client.write(all: Array(text[at..<(at + TLSSession.sliceBytesMax)]))
        }
        #expect(client.bytesToTake > text.count)
        server.receive(client.takeAll(roomBytes: 999))
        #expect(server.read() == text)

        server.write(text)
        var got: [UInt8] = []
        while true {
            let bytes = server.take()
            if bytes.isEmpty { break }
            for at in stride(from: 0, to: bytes.count, by: TLSSession.sliceBytesMax) {
                client.receive(
                    all: Array(bytes[at..<min(bytes.count, at + TLSSession.sliceBytesMax)]))
                got += try client.readAll(roomBytes: 1 + Int(dice.roll(5000))).bytes
            }
        }
        #expect(got == text)
    }

    @Test func `what is lent stays as it is while the session says more, and that follows it`()
        throws
    {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server)
        let text = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        try client.write(all: text)
        let lent = client.lend()
        let before = Array(lent)
        #expect(client.bytesToTake == 0 && before.count > text.count)
        client.sayClose()
        #expect(Array(lent) == before)
        server.receive(before)
        #expect(server.read() == text && !server.sawClose)
        client.release()
        server.receive(client.takeAll())
        #expect(server.read() == [] && server.sawClose)
    }

    /// Room that is lent cannot move; there is a little behind it.
    @Test func `more than fits behind what is lent is refused, and is no crash`() throws {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server)
        try client.write(all: [1])
        _ = client.lend()
        let failure = #expect(throws: TLSFailure.self) {
            for _ in 0..<8 { try client.write(all: [UInt8](repeating: 2, count: 60_000)) }
        }
        #expect(failure?.step == .writing)
    }

    @Test func `AES-128 is asked for first`() throws {
        var client = try client()
        for version in [TLS1_2_VERSION, TLS1_3_VERSION] {
            client = try self.client()
            let server = try server(versions: version...version)
            try shakeHands(&client, server)
            #expect(server.cipherName.contains("AES128") || server.cipherName.contains("AES_128"))
        }
    }

    @Test func `an address is looked for in the certificate, and is not told as a name`() throws {
        for address in ["127.0.0.1", "::1", "::1%lo"] {
            var client = try client(address)
            let server = try server()
            try shakeHands(&client, server)
            #expect(server.serverName == nil)
        }
    }

    @Test func `the dot behind a name is the resolver's`() throws {
        var client = try client("localhost.")
        let server = try server()
        try shakeHands(&client, server)
        #expect(server.serverName == "localhost")
    }

    @Test func `a server's new keys are answered in kind`() throws {
        var client = try client()
        let server = try server(versions: TLS1_3_VERSION...TLS1_3_VERSION)
        try shakeHands(&client, server)
        _ = try client.readAll()
        #expect(client.bytesToTake == 0)
        server.changeKeys()
        server.write([1, 2, 3])
        client.receive(all: server.take())
        #expect(try client.readAll() == ([1, 2, 3], .nothing))
        // The client's own follow with what it next has to say.
        try client.write(all: [4])
        server.receive(client.takeAll())
        #expect(server.read() == [4])
    }

    @Test func `each says goodbye, and what came before it is read first`() throws {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server)
        server.write([1, 2])
        server.sayClose()
        client.receive(all: server.take())
        #expect(try client.readAll() == ([1, 2], .closed))
        #expect(try client.readAll() == ([], .closed))
        client.sayClose()
        server.receive(client.takeAll())
        #expect(server.read() == [] && server.sawClose)
    }

    // MARK: What does not

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a certificate for another is refused`(version: Int32) throws {
        let pair = try certificates.server("other", for: "DNS:elsewhere.test,IP:10.0.0.1")
        let versions = version...version
        let name = try refusal(of: try client(), by: try server(pair, versions: versions))
        #expect(
            name.failure?.description
                == "the server's certificate was refused: hostname mismatch")
        #expect(name.told.contains("bad certificate"))
        let address = try refusal(of: try client("127.0.0.1"), by: try server(pair))
        #expect(
            address.failure?.description
                == "the server's certificate was refused: IP address mismatch")
    }

    @Test func `a certificate that has expired is refused`() throws {
        let pair = try certificates.server("old", days: -1)
        let refused = try refusal(of: try client(), by: try server(pair))
        #expect(refused.failure?.step == .certificate)
        #expect(refused.failure?.reason == "certificate has expired")
        #expect(refused.told.contains("certificate expired"))
    }

    @Test func `a certificate of an authority that nobody knows is refused`() throws {
        let strange = try refusal(
            of: try client(trust: .systemAuthorities), by: try server())
        #expect(strange.failure?.step == .certificate)
        #expect(strange.failure?.reason == "unable to get local issuer certificate")
        let itself = try refusal(
            of: try client(trust: .systemAuthorities), by: try server(certificates.authority))
        #expect(itself.failure?.reason == "self-signed certificate")
    }

    @Test func `who trusts everybody takes any certificate`() throws {
        let pair = try certificates.server("anything", for: "DNS:elsewhere.test", days: -1)
        for name in ["localhost", "127.0.0.1"] {
            var client = try client(name, trust: .everybody)
            let server = try server(pair)
            try shakeHands(&client, server)
            try client.write(all: [1])
            server.receive(client.takeAll())
            #expect(server.read() == [1])
        }
    }

    @Test func `an older version is refused`() throws {
        var client = try client()
        let server = try server(versions: TLS1_VERSION...TLS1_1_VERSION)
        _ = try client.handshake()
        server.receive(client.takeAll())
        #expect(throws: TLSPeer.Broken.self) { try server.handshake() }
        client.receive(all: server.take())
        let failure = client.handshakeFailure()
        #expect(failure?.step == .handshake)
        #expect(failure?.reason.contains("alert protocol version") == true)
    }

    @Test func `a server that speaks plain HTTP is told apart`() throws {
        var client = try client()
        _ = try client.handshake()
        client.receive(all: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        #expect(
            client.handshakeFailure()?.description
                == "TLS handshake: wrong version number (the server does not speak TLS?)")
    }

    @Test func `a spoilt record is an error, not bytes`() throws {
        var client = try client()
        let server = try server()
        try shakeHands(&client, server)
        _ = try client.readAll()
        server.write(Array("answer".utf8))
        var bytes = server.take()
        bytes[bytes.count - 1] ^= 1
        client.receive(all: bytes)
        let failure = client.readFailure()
        #expect(failure?.step == .reading)
        #expect(failure?.reason == "decryption failed or bad record mac")
        #expect(client.bytesToTake > 0, "an alert")
    }

    @Test func `whatever a server answers, a handshake waits or fails`() throws {
        var dice = SeededDice(seed: 11)
        var failures = 0
        for _ in 0..<200 {
            var client = try client()
            let server = try server()
            _ = try client.handshake()
            server.receive(client.takeAll())
            _ = try server.handshake()
            var bytes = server.take()
            for _ in 0...dice.roll(3) {
                bytes[Int(dice.roll(UInt64(bytes.count)))] = UInt8(dice.roll(256))
            }
            client.receive(all: Array(bytes.prefix(Int(dice.roll(UInt64(bytes.count + 1))))))
            if client.handshakeFailure() != nil { failures += 1 }
        }
        #expect(failures > 20)
    }

    @Test func `authorities that cannot be read are named`() throws {
        let missing = certificates.folder.appendingPathComponent("missing.pem").path
        let failure = #expect(throws: TLSFailure.self) {
            _ = try TLSContext.client(trust: .authorities(path: missing))
        }
        #expect(
            failure?.description
                == "TLS settings: authorities in \(missing): No such file or directory")
        let none = #expect(throws: TLSFailure.self) {
            _ = try TLSContext.client(trust: .authorities(path: "/dev/null"))
        }
        #expect(
            none?.description
                == "TLS settings: authorities in /dev/null: no certificate or crl found")
    }

    @Test func `a name that no certificate could hold is refused`() throws {
        let long = String(repeating: "a", count: 300)
        let failure = #expect(throws: TLSFailure.self) { _ = try client(long) }
        #expect(failure?.step == .settings)
    }
}

extension TLSSession {
    fileprivate mutating func receive(all bytes: [UInt8]) {
        bytes.withUnsafeBytes { receive($0) }
    }

    fileprivate mutating func write(all bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    fileprivate mutating func takeAll(roomBytes: Int = 4096) -> [UInt8] {
        var (all, room): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: roomBytes))
        while true {
            let count = room.withUnsafeMutableBytes { take(into: $0) }
            if count == 0 { return all }
            all += room.prefix(count)
        }
    }

    /// What can be read by now, and how it ended.
    fileprivate mutating func readAll(
        roomBytes: Int = 4096
    ) throws -> (bytes: [UInt8], end: Reading) {
        var (all, room): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: roomBytes))
        while true {
            let found = try room.withUnsafeMutableBytes { try read(into: $0) }
            guard case .bytes(let count) = found else { return (all, found) }
            all += room.prefix(count)
        }
    }

    // `#expect(throws:)` takes an escaping closure, which cannot hold on to a session.
    fileprivate mutating func handshakeFailure() -> TLSFailure? {
        do { _ = try handshake() } catch { return error }
        return nil
    }

    fileprivate mutating func readFailure() -> TLSFailure? {
        do { _ = try readAll() } catch { return error as? TLSFailure }
        return nil
    }
}
