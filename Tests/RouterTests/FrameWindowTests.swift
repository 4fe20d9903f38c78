import Core
import Glibc
import TestSupport
import Testing

@testable import Router

/// The window as one would write it without a thought for memory.
private struct ModelWindow {
    struct Frame {
        var bytes: [UInt8]
        var sequence: UInt64
        var claims: [UInt32]
        var sealedAtMs: UInt64
    }

    let origin: Origin
    var frames: [Frame] = []
    var sent = 0
    var nextSequence: UInt64 = 1
    var openHits: [[UInt8]] = []
    var openClaims: [UInt32] = []

    var usedBytes: Int { frames.reduce(0) { $0 + $1.bytes.count } }
    var openBytes: Int { openHits.reduce(FrameHeader.byteCount) { $0 + $1.count } }
    var isEmpty: Bool { frames.isEmpty && openHits.isEmpty }
    var outstandingHits: Int { openClaims.count + frames.reduce(0) { $0 + $1.claims.count } }

    mutating func seal(nowMs: UInt64) {
        if openHits.isEmpty { return }
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes {
            FrameHeader(
                byteCount: UInt32(openBytes), kind: .hits, hitCount: UInt16(openHits.count),
                origin: origin, sequence: nextSequence
            ).write(to: $0.baseAddress!)
        }
        frames.append(
            Frame(
                bytes: openHits.reduce(into: bytes) { $0 += $1 }, sequence: nextSequence,
                claims: openClaims,
                sealedAtMs: nowMs))
        nextSequence += 1
        openHits = []
        openClaims = []
    }
}

@Suite struct FrameWindowTests {
    private static let origin = Origin(slot: 3, incarnation: 0xfeed)

    private static func ack(_ sequence: UInt64, hits: Int, origin: Origin = origin) -> FrameHeader {
        FrameHeader(
            byteCount: UInt32(FrameHeader.byteCount + hits), kind: .ack, hitCount: UInt16(hits),
            origin: origin, sequence: sequence)
    }

    private static func claim(_ number: UInt32) -> Claim {
        Claim(slot: number, generation: ~number, ordinal: number &* 7, expired: false)
    }

    /// Both side by side, compared after each step.
    private struct Walk: ~Copyable {
        var window: FrameWindow
        var model: ModelWindow
        var dice: SeededDice
        var nowMs: UInt64 = 1000
        var hits: UInt32 = 0
        var refused = 0
        var resent = 0
        var acked = 0

        init(seed: UInt64, capacity: Int) {
            window = FrameWindow(origin: origin, capacity: capacity)
            model = ModelWindow(origin: origin)
            dice = SeededDice(seed: seed)
        }

        mutating func step(hitBytes: ClosedRange<Int>) {
            nowMs += UInt64.random(in: 0...3, using: &dice)
            switch Int.random(in: 0..<100, using: &dice) {
            case 0..<55: add(Int.random(in: hitBytes, using: &dice))
            case 55..<65: seal()
            case 65..<78: send()
            case 78..<92: acknowledge()
            case 92..<95: sayNonsense()
            case 95..<96: sendAgain()
            default: overdue()
            }
            compare()
        }

        mutating func add(_ count: Int) {
            let fits =
                model.openHits.count < Limits.frameHitsMax
                && model.openBytes + count <= Limits.frameBytesMax
            if !model.openHits.isEmpty && !fits { model.seal(nowMs: nowMs) }
            guard let room = window.reserve(count, nowMs: nowMs) else {
                refused += 1
                // Never while there is room for a frame between the oldest and the newest.
                let isFull =
                    model.usedBytes > window.capacity - 2 * Limits.frameBytesMax
                    || model.frames.count >= 4096 || model.outstandingHits >= 32_768
                check(isFull && !model.frames.isEmpty)
                return
            }
            var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: hits &* 31), count: count)
            bytes[count - 1] = UInt8(truncatingIfNeeded: count)
            room.copyMemory(from: bytes, byteCount: count)
            window.commitHit(count, claim: claim(hits))
            model.openHits.append(bytes)
            model.openClaims.append(hits)
            hits += 1
        }

        mutating func seal() {
            window.seal(nowMs: nowMs)
            model.seal(nowMs: nowMs)
        }

        mutating func send() {
            guard let run = window.unsent() else {
                check(model.sent == model.frames.count)
                return
            }
            check(run.frames >= 1 && model.sent + run.frames <= model.frames.count)
            var at = 0
            for frame in model.frames[model.sent..<model.sent + run.frames] {
                let isWhole = at + frame.bytes.count <= run.bytes.count
                check(
                    isWhole
                        && memcmp(run.bytes.baseAddress! + at, frame.bytes, frame.bytes.count) == 0)
                at += frame.bytes.count
            }
            check(at == run.bytes.count)
            let count = Int.random(in: 1...run.frames, using: &dice)
            window.didSend(frames: count)
            model.sent += count
        }

        mutating func acknowledge() {
            guard model.sent > 0 else { return }
            let frame = model.frames.removeFirst()
            model.sent -= 1
            acked += 1
            guard
                case .claims(let first, let count) = window.acknowledge(
                    ack(frame.sequence, hits: frame.claims.count))
            else {
                Issue.record("frame \(frame.sequence) was not acknowledged")
                return
            }
            let claims = (0..<count).map { window.claim(first + UInt64($0)) }
            check(claims.map(\.slot) == frame.claims)
            check(claims.allSatisfy { $0.generation == ~$0.slot && $0.ordinal == $0.slot &* 7 })
        }

        mutating func sayNonsense() {
            let first = model.frames.first?.sequence ?? model.nextSequence
            if first > 1 {
                let old = UInt64.random(in: 1..<first, using: &dice)
                check(window.acknowledge(ack(old, hits: 1)) == .repeated)
            }
            check(window.acknowledge(ack(0, hits: 1)) == .unexpected)
            check(window.acknowledge(ack(first + 1, hits: 1)) == .unexpected)
            check(window.acknowledge(ack(model.nextSequence, hits: 1)) == .unexpected)
            guard let frame = model.frames.first else { return }
            let hits = frame.claims.count
            if model.sent == 0 {
                check(window.acknowledge(ack(first, hits: hits)) == .unexpected)
            }
            check(window.acknowledge(ack(first, hits: hits % 256 + 1)) == .unexpected)
            for origin in [Origin(slot: 4, incarnation: 0xfeed), Origin(slot: 3, incarnation: 1)] {
                let stranger = ack(first, hits: hits, origin: origin)
                check(window.acknowledge(stranger) == .unexpected)
            }
        }

        mutating func sendAgain() {
            check(window.sendAgain() == model.sent)
            resent += model.sent
            model.sent = 0
        }

        func overdue() {
            let before = nowMs - 20
            var passed: UInt64 = 0
            var found: [UInt32] = []
            while let (first, count) = window.overdue(before: before, alreadyExpired: passed) {
                found += (0..<count).map { window.claim(first + UInt64($0)).slot }
                passed = max(passed, window.firstFrame) + 1
            }
            let late = model.frames.prefix { $0.sealedAtMs <= before }
            check(found == late.flatMap(\.claims))
        }

        func compare() {
            check(window.usedBytes == model.usedBytes)
            check(window.hasOpenFrame == !model.openHits.isEmpty)
            check(window.isEmpty == model.isEmpty)
            check(window.sentFrames == model.sent)
            check(window.unsentFrames == model.frames.count - model.sent)
            check(window.outstandingHits == model.outstandingHits)
        }

        mutating func drainAll() {
            seal()
            while model.sent < model.frames.count { send() }
            sendAgain()  // so that every byte is looked at once more
            while model.sent < model.frames.count { send() }
            while model.sent > 0 { acknowledge() }
            compare()
            check(window.isEmpty)
        }
    }

    @Test(
        arguments: [
            (1, 160 << 10, 49...2000), (2, 160 << 10, 49...16_500), (3, 128 << 10, 49...16_500),
            (4, 200_000, 8000...16_500), (5, 1 << 20, 49...300), (6, 137_777, 15_000...16_500),
        ] as [(UInt64, Int, ClosedRange<Int>)])
    func `whatever happens in whatever order, frames keep bytes, order and claims`(
        _ seed: UInt64, _ capacity: Int, _ hitBytes: ClosedRange<Int>
    ) {
        var walk = Walk(seed: seed, capacity: capacity)
        for round in 0..<4 {
            for _ in 0..<1500 { walk.step(hitBytes: hitBytes) }
            walk.drainAll()
            // All is acknowledged: there is room for the largest hit.
            let refused = walk.refused
            walk.add(16_500)
            check(walk.refused == refused, "round \(round)")
        }
        check(walk.acked > 100 && walk.resent > 10)
        if capacity < 1 << 20 { check(walk.refused > 10) }
    }

    @Test func `a frame holds 256 hits and the next hit opens another`() {
        var window = FrameWindow(origin: Self.origin, capacity: 256 << 10)
        for number in 0..<257 {
            check(window.reserve(48, nowMs: 0) != nil)
            window.commitHit(48, claim: Self.claim(UInt32(number)))
            check(window.unsentFrames == (number < 256 ? 0 : 1))
        }
        check(window.unsent()?.bytes.count == FrameHeader.byteCount + 256 * 48)
    }

    @Test func `a frame holds 64 KiB to the byte`() {
        var window = FrameWindow(origin: Self.origin, capacity: 256 << 10)
        let hit = (Limits.frameBytesMax - FrameHeader.byteCount) / 4
        for number in 0..<4 {
            check(window.reserve(hit, nowMs: 0) != nil)
            window.commitHit(hit, claim: Self.claim(UInt32(number)))
        }
        check(window.unsentFrames == 0)
        check(window.reserve(48, nowMs: 0) != nil)
        check(window.unsent()?.bytes.count == Limits.frameBytesMax)
    }

    @Test func `hits of a window are bounded in number too`() {
        var window = FrameWindow(origin: Self.origin, capacity: 4 << 20)
        var taken: UInt32 = 0
        while window.reserve(48, nowMs: 0) != nil {
            window.commitHit(48, claim: Self.claim(taken))
            taken += 1
        }
        check(taken == 32_768)
        window.seal(nowMs: 0)
        while let run = window.unsent() { window.didSend(frames: run.frames) }
        check(window.acknowledge(Self.ack(1, hits: 256)) == .claims(first: 0, count: 256))
        check(window.reserve(48, nowMs: 0) != nil)
    }

    @Test func `frames of a window are bounded in number too`() {
        var window = FrameWindow(origin: Self.origin, capacity: 4 << 20)
        var taken: UInt32 = 0
        while window.reserve(48, nowMs: 0) != nil {
            window.commitHit(48, claim: Self.claim(taken))
            window.seal(nowMs: 0)
            taken += 1
        }
        check(taken == 4096)
    }

    @Test func `an expired claim says so when its ack comes`() {
        var window = FrameWindow(origin: Self.origin, capacity: 128 << 10)
        for number in 0..<3 {
            _ = window.reserve(48, nowMs: 0)
            window.commitHit(48, claim: Self.claim(UInt32(number)))
        }
        window.seal(nowMs: 5)
        window.didSend(frames: 1)
        check(window.overdue(before: 4, alreadyExpired: 0) == nil)
        check(window.overdue(before: 5, alreadyExpired: 0)! == (first: 0, count: 3))
        window.expire(1)
        check(window.acknowledge(Self.ack(1, hits: 3)) == .claims(first: 0, count: 3))
        check((0..<3).map { window.claim($0).expired } == [false, true, false])
    }
}
