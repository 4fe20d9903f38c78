import Core
import Platform
import Testing

@testable import Supervisor

@Suite struct ControlChannelTests {
    /// A new child may not read for a while, and a big cluster sends it many links.
    @Test func `what the socket has no room for arrives later, in order, with its descriptors`()
        throws
    {
        let loop = try Loop.make()
        let (mine, theirs) = try socketPair(packets: true)
        let channel = try ControlChannel(descriptor: mine, in: loop) { _ in }
        let count = 2000
        for number in 0..<count {
            let descriptor = number % 10 == 0 ? try socketPair(packets: false) : nil
            channel.send(
                ControlMessage(.link, number: UInt64(number)), descriptor: descriptor?.0)
            if let other = descriptor?.1 { closeDescriptor(other) }
        }
        #expect(channel.hasWaiting)
        var got: [(number: UInt64, descriptors: Int)] = []
        var room = [UInt8](repeating: 0, count: 64)
        while got.count < count {
            let received = try room.withUnsafeMutableBytes {
                try receiveMessage(into: $0, from: theirs)
            }
            switch received {
            case .message(let bytes, let descriptors):
                let message = room[..<bytes].withUnsafeBytes { ControlMessage.read($0) }
                got.append((message?.number ?? .max, descriptors.count))
                descriptors.forEach { closeDescriptor($0) }
            case .nothing:
                #expect(channel.hasWaiting)
                channel.retry()
            case .closed: Issue.record("closed after \(got.count) messages")
            }
        }
        #expect(got.map(\.number) == (0..<count).map { UInt64($0) })
        #expect(got.map(\.descriptors) == (0..<count).map { $0 % 10 == 0 ? 1 : 0 })
        #expect(!channel.hasWaiting)
        channel.close()
        closeDescriptor(theirs)
    }

    @Test func `sending to a dead child keeps nothing`() throws {
        let loop = try Loop.make()
        let (mine, theirs) = try socketPair(packets: true)
        let channel = try ControlChannel(descriptor: mine, in: loop) { _ in }
        closeDescriptor(theirs)
        let link = try socketPair(packets: false)
        channel.send(ControlMessage(.link), descriptor: link.0)
        #expect(!channel.hasWaiting)
        #expect(try readSome(link.1) == [])  // the other end is held by nobody
        closeDescriptor(link.1)
        channel.close()
    }

    @Test func `what is no message is passed over, and brings no descriptor in`() throws {
        let loop = try Loop.make()
        let (mine, theirs) = try socketPair(packets: true)
        var heard: [ControlMessage] = []
        let channel = try ControlChannel(descriptor: mine, in: loop) { heard.append($0) }
        let link = try socketPair(packets: false)
        for bytes in [[0], [UInt8](repeating: 1, count: 24), [UInt8](repeating: 1, count: 25)] {
            try bytes.withUnsafeBytes {
                try sendMessage($0, descriptors: [link.0], over: theirs)
            }
        }
        var ready = [UInt8](repeating: 0, count: ControlMessage.byteCount)
        ready.withUnsafeMutableBytes { ControlMessage(.ready).write(to: $0.baseAddress!) }
        try ready.withUnsafeBytes { try sendMessage($0, over: theirs) }
        closeDescriptor(theirs)
        channel.readRest()
        // 24 bytes of 1 happen to be a `ready`.
        #expect(heard.map(\.kind) == [.ready, .ready])
        closeDescriptor(link.0)
        #expect(try readSome(link.1) == [])  // every copy that arrived was closed
        channel.close()
        closeDescriptor(link.1)
    }
}
