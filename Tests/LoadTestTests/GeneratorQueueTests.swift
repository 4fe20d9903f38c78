import TestSupport
import Testing

@testable import LoadTest

/// The rings a generator thread keeps its work in, each against an array that does the same.
@Suite struct GeneratorQueueTests {
    @Test func `the backlog gives back the oldest, and refuses what is beyond its limit`() {
        var dice = SeededDice(seed: 3)
        for limit in [1, 2, 7] {
            var backlog = Backlog(limit: limit)
            defer { backlog.free() }
            var model: [UInt64] = []
            for sequence in 0..<2000 as Range<UInt64> {
                if dice.next() % 2 == 0 {
                    let isIn = backlog.push(.init(sequence: sequence, due: sequence * 10))
                    #expect(isIn == (model.count < limit))
                    if isIn { model.append(sequence) }
                } else if !model.isEmpty {
                    let oldest = backlog.pop()
                    #expect(oldest.sequence == model.removeFirst())
                    #expect(oldest.due == oldest.sequence * 10)
                }
                #expect(backlog.count == model.count && backlog.isEmpty == model.isEmpty)
            }
            backlog.removeAll()
            #expect(backlog.isEmpty && backlog.push(.init(sequence: 1, due: 1)))
        }
    }

    @Test func `what is in flight comes back in the order it was sent`() {
        var dice = SeededDice(seed: 4)
        for limit in [1, 3, 16] {
            let places = UnsafeMutablePointer<SentRequest>.allocate(capacity: limit)
            defer { places.deallocate() }
            var inFlight = InFlight(at: places, limit: limit)
            var model: [UInt64] = []
            for sequence in 0..<2000 as Range<UInt64> {
                if dice.next() % 2 == 0, !inFlight.isFull {
                    inFlight.push(
                        SentRequest(
                            sequence: sequence, due: 1, sent: 2, answerHasNoBody: sequence % 3 == 0)
                    )
                    model.append(sequence)
                } else if !inFlight.isEmpty {
                    #expect(inFlight.oldest.sequence == model[0])
                    let request = inFlight.pop()
                    #expect(request.sequence == model.removeFirst())
                    #expect(request.answerHasNoBody == (request.sequence % 3 == 0))
                }
                #expect(inFlight.count == model.count && inFlight.isFull == (model.count == limit))
            }
        }
    }

    @Test func `free connections are taken in turn`() {
        var free = FreeConnections(limit: 3)
        defer { free.free() }
        #expect(free.pop() == nil)
        for index in [2, 0, 1] as [UInt32] { free.push(index) }
        #expect(free.pop() == 2)
        free.push(2)
        #expect([free.pop(), free.pop(), free.pop(), free.pop()] == [0, 1, 2, nil])
    }

    @Test func `threads share the sequence numbers without a gap`() {
        for requests in [0, 1, 5, 10] as [UInt64] {
            var taken: [UInt64] = []
            for thread in 0..<3 {
                var numbers = SequenceNumbers(thread: thread, threads: 3, requests: requests)
                while !numbers.isExhausted { taken.append(numbers.take()) }
            }
            #expect(taken.sorted() == Array(0..<requests))
        }
        var endless = SequenceNumbers(thread: 1, threads: 2, requests: nil)
        #expect([endless.take(), endless.take()] == [1, 3] && !endless.isExhausted)
    }
}
