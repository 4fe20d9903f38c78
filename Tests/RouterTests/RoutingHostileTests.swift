import Core
import Platform
import TestSupport
import Testing

@testable import Router

/// A worker's end that is not to be trusted, and links that get lost.
@Suite struct RoutingHostileTests {
    /// What no worker says, made from the frame that is out.
    private enum Lie: String, CaseIterable {
        case version, unknownKind, hits, lone, opaque, tooLong, tooShort, noHits, manyHits
        case otherOrigin, loneOrigin, otherSequence, otherCount, zeros, ones

        func bytes(_ frame: TestFrame) -> [UInt8] {
            let verdicts = [Verdict](repeating: .good, count: Int(frame.header.hitCount))
            var ack = TestWorker.ack(frame, verdicts)
            switch self {
            case .version: ack[4] = 2
            case .unknownKind: ack[5] = 99
            case .hits: ack = frame.bytes
            case .lone: ack[5] = FrameHeader.Kind.lone.rawValue
            case .opaque: ack[5] = FrameHeader.Kind.opaque.rawValue
            case .tooLong: ack[3] = 0x7f
            case .tooShort: ack[0] = UInt8(FrameHeader.byteCount)
            case .noHits: ack[6] = 0
            case .manyHits: ack[7] = 0xff
            case .otherOrigin: ack[24] ^= 1
            case .loneOrigin: for at in 8..<16 { ack[at] = ~ack[at] }
            case .otherSequence: ack[20] = 1
            case .otherCount: ack = TestWorker.ack(frame, verdicts + [.good])
            case .zeros: ack = [UInt8](repeating: 0, count: 80)
            case .ones: ack = [UInt8](repeating: 0xff, count: 80)
            }
            return ack
        }
    }

    /// A router with one hit out; answers the worker that has it.
    private func hitOut(_ rig: Rig, _ client: TestClient) throws -> TestWorker {
        let worker = try rig.link()
        client.send(get())
        rig.pump { worker.frames.count == 1 }
        return worker
    }

    /// A well-behaved worker takes what is left, so that each round begins afresh.
    private func recover(_ rig: Rig, _ client: TestClient, answers: Int) throws {
        let worker = try rig.link()
        rig.pump {
            worker.ackAll()
            return client.answers().count == answers
        }
        worker.close()
        rig.pump { !rig.state.pointee.links[0].isOpen }
    }

    @Test(arguments: Lie.allCases)
    private func `a lie cut at any byte costs the link and nothing else`(_ lie: Lie) throws {
        let rig = try Rig()
        var broken = 0
        rig.state.pointee.didBreakLink = { _ in broken += 1 }
        let client = try rig.connect()
        var rounds = 0
        while true {
            let worker = try hitOut(rig, client)
            let said = lie.bytes(worker.frames[0])
            if rounds == said.count {
                worker.say(said)
                rig.pump { worker.isEnded }
                rig.pump { broken == 1 }
            } else {
                worker.say(Array(said[..<rounds]))
                rig.pump(forMs: 1)
                if !worker.isEnded { worker.close() }
            }
            rig.pump { !rig.state.pointee.links[0].isOpen }
            rounds += 1
            try recover(rig, client, answers: rounds)
            broken = 0
            if rounds == min(said.count, 48) + 1 || rounds > said.count { break }
        }
        #expect(client.statuses.allSatisfy { $0 == 200 })
        check(rig.state.pointee.windows[0].isEmpty)
    }

    @Test func `whatever bytes come, in whatever pieces, the router answers in the end`() throws {
        var dice = SeededDice(seed: 0x6261_6265)
        let rig = try Rig()
        let client = try rig.connect()
        for round in 1...250 {
            let worker = try hitOut(rig, client)
            let frame = worker.frames[0]
            var noise = dice.chance(50) ? TestWorker.ack(frame, [.good]) : frame.bytes
            noise += (0..<Int(dice.roll(400))).map { _ in UInt8(dice.roll(256)) }
            for _ in 0..<dice.roll(4) { noise[Int(dice.roll(40))] = UInt8(dice.roll(256)) }
            while !noise.isEmpty && !worker.isEnded {
                let count = min(noise.count, Int(dice.roll(90)) + 1)
                worker.trySay(Array(noise[..<count]))
                noise.removeFirst(count)
                if dice.chance(40) { rig.pump(forMs: 1) }
            }
            worker.close()
            rig.pump { !rig.state.pointee.links[0].isOpen }
            try recover(rig, client, answers: round)
        }
        #expect(rig.value(.requests) == 250)
    }

    @Test(arguments: [1, 2, 7, 8, 9, 64, 256])
    func `windows share 32 MiB evenly, 4 MiB each at most`(_ workers: Int) throws {
        let rig = try Rig(workers: workers)
        let capacities = (0..<workers).map { rig.state.pointee.windows[$0].capacity }
        #expect(Set(capacities) == [min(4 << 20, (32 << 20) / workers)])
        #expect(capacities.reduce(0, +) <= 32 << 20)
    }

    @Test func `a link that its worker cut is asked for after a second, until there is one`() throws
    {
        let rig = try Rig(workers: 2)
        var asked: [Int] = []
        rig.state.pointee.didBreakLink = { asked.append($0) }
        let worker = try rig.link(1)
        rig.pump()
        worker.close()
        rig.pump { !rig.state.pointee.links[1].isOpen }
        rig.pump(forMs: 500)
        #expect(asked.isEmpty, "its death is the supervisor's own to notice")
        rig.pump { asked == [1] }
        rig.pump { asked == [1, 1] }
        _ = try rig.link(1)
        rig.pump(forMs: 1300)
        #expect(asked == [1, 1], "and shard 0, which never had a link, is on its way")
    }
}
