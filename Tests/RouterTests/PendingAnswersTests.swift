import Core
import Glibc
import TestSupport
import Testing

@testable import Router

@Suite struct PendingAnswersTests {
    private struct Model {
        var ordinal: UInt32
        var isHead: Bool
        var answer: Answer?
    }

    @Test(arguments: [0, 1, .max - 100, .max - 63, .max] as [UInt32])
    func `answers come out in the order of the requests, across the wrap of ordinals`(
        _ start: UInt32
    ) {
        var pending = PendingAnswers(firstOrdinal: start)
        var model: [Model] = []
        var dice = SeededDice(seed: UInt64(start) + 7)
        var next = start
        var taken = 0
        for _ in 0..<5_000 {
            switch Int.random(in: 0..<10, using: &dice) {
            case 0..<4 where model.count < Limits.pipelinedAnswersMax:
                let isHead = Bool.random(using: &dice)
                check(pending.open(isHead: isHead) == next)
                model.append(Model(ordinal: next, isHead: isHead))
                next &+= 1
            case 4..<8:
                guard let at = model.indices.randomElement(using: &dice) else { break }
                let answer = Answer.allCases.randomElement(using: &dice)!
                let isFirst = model[at].answer == nil
                check(pending.answer(model[at].ordinal, with: answer) == isFirst)
                if isFirst { model[at].answer = answer }
            default:
                check(pending.answer(next, with: .pixel) == false)
                check(pending.answer((model.first?.ordinal ?? next) &- 1, with: .pixel) == false)
            }
            check(pending.count == model.count)
            check(pending.isEmpty == model.isEmpty)
            check(pending.isFull == (model.count == Limits.pipelinedAnswersMax))
            check(pending.firstIsAnswered == (model.first?.answer != nil))
            if let first = model.first, first.answer != nil, dice.chance(60) {
                let (answer, isHead, ordinal) = pending.takeFirst()
                check(answer == first.answer && isHead == first.isHead)
                check(ordinal == first.ordinal)
                model.removeFirst()
                taken += 1
            }
        }
        check(taken > 200)
    }

    @Test func `every answer fits the bit planes`() {
        var pending = PendingAnswers()
        for answer in Answer.allCases {
            check(pending.answer(pending.open(isHead: false), with: answer))
        }
        for answer in Answer.allCases { check(pending.takeFirst().answer == answer) }
    }
}

@Suite struct KeptBytesTests {
    @Test func `what is kept is what was appended less what was dropped`() {
        var kept = KeptBytes()
        var model: [UInt8] = []
        var dice = SeededDice(seed: 11)
        for _ in 0..<2000 {
            if dice.chance(60) {
                let most = min(3000, KeptBytes.bytesMax - model.count)
                let more = [UInt8](
                    repeating: UInt8.random(in: 0...255, using: &dice),
                    count: Int.random(in: 0...most, using: &dice))
                more.withUnsafeBytes { kept.append($0) }
                model += more
            } else {
                let count =
                    dice.chance(20) ? model.count : Int.random(in: 0...model.count, using: &dice)
                kept.drop(count)
                model.removeFirst(count)
            }
            check(kept.count == model.count)
            check(model.isEmpty || memcmp(kept.base!, model, model.count) == 0)
        }
        kept.clear()
        check(kept.count == 0 && kept.base == nil)
    }
}
