import Glibc
import Testing

@testable import Platform

@Suite struct SocketMessageTests {
    private func send(_ text: String, _ descriptors: [Int32] = [], over socket: Int32) throws {
        try Array(text.utf8).withUnsafeBytes {
            try sendMessage($0, descriptors: descriptors, over: socket)
        }
    }

    private func receive(from socket: Int32, room: Int = 64) throws -> (String, [Int32])? {
        var bytes = [UInt8](repeating: 0, count: room)
        let received = try bytes.withUnsafeMutableBytes {
            try receiveMessage(into: $0, from: socket)
        }
        switch received {
        case .message(let count, let descriptors):
            return (String(decoding: bytes[..<count], as: UTF8.self), descriptors)
        case .nothing: return nil
        case .closed: return ("closed", [])
        }
    }

    @Test func `messages keep their bounds and their order`() throws {
        let (a, b) = try socketPair(packets: true)
        #expect(try receive(from: b) == nil)
        try send("one", over: a)
        try send("twenty-two", over: a)
        #expect(try receive(from: b)?.0 == "one")
        #expect(try receive(from: b)?.0 == "twenty-two")
        #expect(try receive(from: b) == nil)
        close(a)
        #expect(try receive(from: b)?.0 == "closed")
        close(b)
    }

    @Test func `descriptors ride along, close-on-exec and their own`() throws {
        let (a, b) = try socketPair(packets: true)
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        try send("here", [ends[1]], over: a)
        close(ends[1])
        let (text, descriptors) = try #require(try receive(from: b))
        #expect(text == "here" && descriptors.count == 1)
        #expect(fcntl(descriptors[0], F_GETFD) & FD_CLOEXEC != 0)
        #expect(write(descriptors[0], "x", 1) == 1)
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 1 && byte == 0x78)
        try send("four", [a, a, a, a], over: a)
        let four = try #require(try receive(from: b))
        #expect(four.1.count == 4)
        #expect(throws: Failure.self) { try send("five", [a, a, a, a, a], over: a) }
        (four.1 + descriptors + [a, b, ends[0]]).forEach { close($0) }
    }

    @Test func `sending to nobody fails with words`() throws {
        let (a, b) = try socketPair(packets: true)
        close(b)
        let failure = #expect(throws: Failure.self) { try send("x", over: a) }
        #expect(failure?.number == EPIPE && failure?.description == "sendmsg: Broken pipe")
        close(a)
    }
}

@Suite struct SocketAddressTests {
    @Test(arguments: ["127.0.0.1", "::1", "0.0.0.0", "2001:db8::1"])
    func `literals are addresses`(_ text: String) {
        #expect(SocketAddress(ip: text, port: 80) != nil)
    }

    @Test(arguments: ["", "localhost", "127.0.0", "127.0.0.1:80", "[::1]", "1.2.3.4.5", "::g"])
    func `anything else is none`(_ text: String) {
        #expect(SocketAddress(ip: text, port: 80) == nil)
        #expect(throws: Failure.self) { try bindTCP(address: text, port: 0) }
    }

    @Test func `a port that is taken is refused by name`() throws {
        let first = try bindTCP(address: "127.0.0.1", port: 0)
        #expect(listen(first, 1) == 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(first, $0, &length)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        let failure = #expect(throws: Failure.self) {
            try bindTCP(address: "127.0.0.1", port: port)
        }
        #expect(failure?.number == EADDRINUSE)
        #expect(fcntl(first, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(first, F_GETFL) & O_NONBLOCK != 0)
        close(first)
    }
}
