import Core
import Testing

@testable import Worker

@Suite struct AckQueueTests {
    private func ack(_ sequence: UInt64, _ verdicts: [Verdict]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        let header = FrameHeader(
            byteCount: UInt32(FrameHeader.byteCount + verdicts.count), kind: .ack,
            hitCount: UInt16(verdicts.count), origin: testOrigin, sequence: sequence)
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        return bytes + verdicts.map(\.rawValue)
    }

    private func settled(
        _ queue: inout AckQueue, through group: UInt64
    ) -> [UInt8] {
        let settled = queue.settled(through: group)
        let bytes = Array(settled.bytes)
        queue.removeFirst(settled.acks)
        return bytes
    }

    private func expectEqual(
        _ found: [UInt8], _ expected: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test func `acks leave in order, in one piece, and none before its group`() {
        var queue = AckQueue()
        let acks = [
            ack(1, [.good]), ack(2, [.bad, .good]), ack(3, [.refused]), ack(4, [.good, .good]),
        ]
        for (ack, group) in zip(acks, [1, 1, 0, 2] as [UInt64]) {
            ack.withUnsafeBytes { queue.append($0, group: group) }
        }
        expectEqual(settled(&queue, through: 0), [])
        expectEqual(settled(&queue, through: 1), acks[0] + acks[1] + acks[2])
        expectEqual(settled(&queue, through: 1), [])
        let isEmpty = queue.isEmpty
        #expect(!isEmpty)
        expectEqual(settled(&queue, through: 2), acks[3])
        let isEmptyNow = queue.isEmpty
        #expect(isEmptyNow)
    }

    @Test func `one that waits behind another leaves after it`() {
        var queue = AckQueue()
        let (first, second) = (ack(1, [.good]), ack(2, [.refused]))
        first.withUnsafeBytes { queue.append($0, group: 3) }
        second.withUnsafeBytes { queue.append($0, group: 0) }
        expectEqual(settled(&queue, through: 2), [])
        expectEqual(settled(&queue, through: 3), first + second)
    }

    @Test func `what a lane lost is refused, hit by hit`() {
        var queue = AckQueue()
        ack(1, [.good, .bad, .good]).withUnsafeBytes { queue.append($0, group: 1) }
        ack(2, [.bad, .refused]).withUnsafeBytes { queue.append($0, group: 2) }
        let refused = queue.refuse(.good)
        #expect(refused == 2)
        let left = settled(&queue, through: 2)
        #expect(left == ack(1, [.refused, .bad, .refused]) + ack(2, [.bad, .refused]))
    }

    @Test func `it takes as many frames as it says, of the largest size`() {
        var queue = AckQueue()
        let largest = ack(9, Array(repeating: .good, count: Limits.frameHitsMax))
        for index in 0..<AckQueue.framesMax {
            let isFull = queue.isFull
            #expect(!isFull, "\(index)")
            largest.withUnsafeBytes { queue.append($0, group: 1) }
        }
        let isFull = queue.isFull
        #expect(isFull)
        // A lane tells 256 batches apart, and a resent frame may meet half of them unanswered.
        #expect(2 * AckQueue.framesMax <= Int(OriginTable.windowBatches))
        let left = settled(&queue, through: 1)
        #expect(left.count == AckQueue.framesMax * largest.count)
    }
}
