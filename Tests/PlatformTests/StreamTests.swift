import Glibc
import Testing

@testable import Platform

/// Notes down what a stream tells it.
private final class Witness {
    var stream = Stream.allocate()
    var read: [UInt8] = []
    var ends: [Int32] = []
    var writes: [Int32] = []
    var connects: [Int32] = []
    var closes = 0

    var raw: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func at(_ raw: UnsafeMutableRawPointer) -> Witness {
        Unmanaged<Witness>.fromOpaque(raw).takeUnretainedValue()
    }

    nonisolated(unsafe) static let events: UnsafePointer<StreamEvents> = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: {
                    Witness.at($0).read += UnsafeRawBufferPointer(start: $1, count: $2)
                },
                didEnd: { Witness.at($0).ends.append($1) },
                didWrite: { Witness.at($0).writes.append($1) },
                didConnect: { Witness.at($0).connects.append($1) },
                didClose: { Witness.at($0).closes += 1 }))
        return UnsafePointer(events)
    }()
}

@Suite struct StreamTests {
    private let loop: Loop

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        loop = try Loop.make()
    }

    /// Turns the loop until `done`, for ten seconds at most.
    private func turn(
        at location: SourceLocation = #_sourceLocation, until done: () -> Bool
    ) {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while !done() {
            if monotonicNanoseconds() > deadline {
                Issue.record("not within ten seconds", sourceLocation: location)
                return
            }
            loop.runNoWait()
            usleep(100)
        }
    }

    /// A stream under the loop and the bare descriptor of its other end.
    private func pair() throws -> (Witness, Int32) {
        let (mine, other) = try socketPair(packets: false)
        let witness = Witness()
        try witness.stream.openUnix(
            descriptor: mine, in: loop, owner: witness.raw, events: Witness.events)
        return (witness, other)
    }

    @Test func `bytes and then the end are read, each once`() throws {
        let (witness, other) = try pair()
        try witness.stream.startReading()
        write(other, "hello", 5)
        turn { witness.read.count == 5 }
        write(other, " you", 4)
        close(other)
        turn { !witness.ends.isEmpty }
        #expect(witness.read == Array("hello you".utf8))
        #expect(witness.ends == [endOfFile])
        #expect(witness.closes == 0)
        witness.stream.close()
        witness.stream.close()
        turn { witness.closes > 0 }
        for _ in 0..<5 { loop.runNoWait() }
        #expect(witness.closes == 1 && witness.ends.count == 1)
        witness.stream.deallocate()
    }

    @Test func `a stream that stopped reading reads on where it stopped`() throws {
        let (witness, other) = try pair()
        try witness.stream.startReading()
        write(other, "a", 1)
        turn { witness.read.count == 1 }
        witness.stream.stopReading()
        write(other, "b", 1)
        for _ in 0..<20 { loop.runNoWait() }
        #expect(witness.read == [0x61])
        try witness.stream.startReading()
        turn { witness.read == [0x61, 0x62] }
        witness.stream.close()
        turn { witness.closes == 1 }
        close(other)
    }

    @Test func `what the kernel does not take is queued, in order, and its end is told`() throws {
        let (witness, other) = try pair()
        var sent: [UInt8] = []
        let block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 / 7) }
        while true {
            let taken = witness.stream.tryWrite(block, block.count)
            #expect(taken >= 0)
            sent += block.prefix(taken)
            if taken < block.count { break }
        }
        #expect(witness.stream.tryWrite(block, 1) == 0)
        // Kept in place by the caller, and copied.
        let kept = UnsafeMutableRawBufferPointer.allocate(byteCount: block.count, alignment: 1)
        kept.copyBytes(from: block.reversed())
        try witness.stream.write(kept.baseAddress!, kept.count)
        var gone = Array("the copy".utf8)
        try witness.stream.writeCopying(gone, gone.count)
        gone[0] = 0
        #expect(witness.stream.queuedBytes == block.count + 8)
        #expect(witness.stream.tryWrite(block, 1) == 0, "nothing overtakes the queue")
        var got: [UInt8] = []
        let expected = sent + block.reversed() + Array("the copy".utf8)
        turn {
            var room = [UInt8](repeating: 0, count: 65_536)
            let count = recv(other, &room, room.count, Int32(MSG_DONTWAIT))
            if count > 0 { got += room[..<count] }
            return got.count == expected.count && witness.writes.count == 2
        }
        #expect(got == expected)
        #expect(witness.writes == [0, 0] && witness.stream.queuedBytes == 0)
        witness.stream.close()
        turn { witness.closes == 1 }
        kept.deallocate()
        close(other)
    }

    @Test func `closing cancels what is queued before it says it is closed`() throws {
        let (witness, other) = try pair()
        let block = [UInt8](repeating: 1, count: 1 << 20)
        _ = witness.stream.tryWrite(block, block.count)
        try witness.stream.writeCopying(block, block.count)
        witness.stream.close()
        turn { witness.closes == 1 }
        #expect(witness.writes == [cancelled])
        close(other)
    }

    @Test func `writing to an end that is gone is an error, not a death`() throws {
        let (witness, other) = try pair()
        close(other)
        #expect(witness.stream.tryWrite([1], 1) == Int(-EPIPE))
        witness.stream.close()
        turn { witness.closes == 1 }
    }

    @Test func `half a farewell leaves the other half open`() throws {
        let (witness, other) = try pair()
        try witness.stream.startReading()
        #expect(witness.stream.tryWrite("bye", 3) == 3)
        witness.stream.shutDownWriting()
        var room = [UInt8](repeating: 0, count: 8)
        #expect(recv(other, &room, 8, 0) == 3)
        #expect(recv(other, &room, 8, 0) == 0)
        write(other, "and you", 7)
        turn { witness.read.count == 7 }
        witness.stream.close()
        turn { witness.closes == 1 }
        close(other)
    }

    @Test func `a descriptor that is no socket is refused, and its stream can still be closed`()
        throws
    {
        let witness = Witness()
        #expect(throws: Failure.self) {
            try witness.stream.openUnix(
                descriptor: -1, in: loop, owner: witness.raw, events: Witness.events)
        }
        witness.stream.close()
        turn { witness.closes == 1 }
    }

    // MARK: TCP

    private final class Door {
        var knocks: [Int32] = []
        var closes = 0
    }

    private nonisolated(unsafe) static let doorEvents: UnsafePointer<ListenerEvents> = {
        let events = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        events.initialize(
            to: ListenerEvents(
                didKnock: {
                    Unmanaged<Door>.fromOpaque($0).takeUnretainedValue().knocks.append($1)
                },
                didClose: { Unmanaged<Door>.fromOpaque($0).takeUnretainedValue().closes += 1 }))
        return UnsafePointer(events)
    }()

    private func port(of socket: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    @Test func `a connection waits at the door until it is taken, and no other is announced`()
        throws
    {
        let door = Door()
        let socket = try bindTCP(address: "127.0.0.1", port: 0)
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: port(of: socket)))
        let listener = try Listener.open(
            tcp: socket, in: loop, backlog: 16, owner: Unmanaged.passUnretained(door).toOpaque(),
            events: Self.doorEvents)
        let callers = (0..<2).map { _ in Witness() }
        for caller in callers {
            caller.stream.openTCP(in: loop, owner: caller.raw, events: Witness.events)
            try caller.stream.connect(to: address)
        }
        turn { callers.allSatisfy { $0.connects == [0] } && door.knocks == [0] }
        for _ in 0..<20 { loop.runNoWait() }
        #expect(door.knocks == [0] && listener.isKnocking)

        let taken = Witness()
        taken.stream.openTCP(in: loop, owner: taken.raw, events: Witness.events)
        try taken.stream.accept(from: listener)
        #expect(!listener.isKnocking)
        taken.stream.setNoDelay()
        var peer = [UInt8](repeating: 0xaa, count: 16)
        peerAddress(of: taken.stream, into: &peer)
        #expect(peer == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1])
        try taken.stream.startReading()
        _ = callers[0].stream.tryWrite("hi", 2)
        turn { taken.read == [0x68, 0x69] && door.knocks == [0, 0] }

        let nobody = Witness()
        nobody.stream.openTCP(in: loop, owner: nobody.raw, events: Witness.events)
        try nobody.stream.accept(from: listener)
        let late = Witness()
        late.stream.openTCP(in: loop, owner: late.raw, events: Witness.events)
        #expect(throws: Failure.self) { try late.stream.accept(from: listener) }
        let all = callers + [taken, nobody, late]
        all.forEach { $0.stream.close() }
        listener.close()
        listener.close()
        turn { all.allSatisfy { $0.closes == 1 } && door.closes == 1 }
    }

    @Test func `a refused connection is told so`() throws {
        let socket = try bindTCP(address: "127.0.0.1", port: 0)
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: port(of: socket)))
        let caller = Witness()
        caller.stream.openTCP(in: loop, owner: caller.raw, events: Witness.events)
        try caller.stream.connect(to: address)
        turn { caller.connects.count == 1 }
        #expect(caller.connects == [-ECONNREFUSED])
        #expect(describe(uvCode: caller.connects[0]) == "connection refused")
        caller.stream.close()
        turn { caller.closes == 1 }
        close(socket)
    }

    @Test func `a caller can be told before it connects not to wait with small pieces`() throws {
        let socket = try bindTCP(address: "127.0.0.1", port: 0)
        try listen(on: socket, backlog: 1)
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: port(of: socket)))
        let caller = Witness()
        caller.stream.openTCP(in: loop, owner: caller.raw, events: Witness.events)
        caller.stream.setNoDelay()
        try caller.stream.connect(to: address)
        var (isOn, count) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        getsockopt(caller.stream.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, &count)
        #expect(isOn == 1)
        turn { caller.connects == [0] }
        caller.stream.close()
        turn { caller.closes == 1 }
        close(socket)
    }

    @Test func `a connection given up while it is being made says so, then closes`() throws {
        let socket = try bindTCP(address: "127.0.0.1", port: 0)
        try listen(on: socket, backlog: 1)
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: port(of: socket)))
        let caller = Witness()
        caller.stream.openTCP(in: loop, owner: caller.raw, events: Witness.events)
        try caller.stream.connect(to: address)
        caller.stream.close()
        turn { caller.closes == 1 }
        #expect(caller.connects == [cancelled])
        close(socket)
    }
}
