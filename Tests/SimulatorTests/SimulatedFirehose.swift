import Core
import Foundation
import TestSupport

@testable import Worker

/// The service behind the workers: takes calls, all, in part or not at all, and knows every row it
/// ever took.
final class SimulatedFirehose {
    struct Weather: Equatable {
        /// Nothing is taken: 500.
        var isDown = false
        var throttles = false
        /// Of a hundred records, so many are not taken.
        var refusedPercent = 0
        /// Calls are answered after the caller gave up, or never; taken or not.
        var isSilent = false
        /// Answers that make no sense.
        var garbles = false
    }

    /// A row that came, and how often.
    struct Row {
        var bytes: [UInt8]
        var count = 0
    }

    var weather = Weather()
    private let agenda: Agenda
    private var dice: SeededDice
    private(set) var good: [UInt64: Row] = [:]
    private(set) var bad: [UInt64: Row] = [:]
    /// Bad rows of hits that were not decoded.
    private(set) var opaque: [UInt64: Row] = [:]
    /// Bad rows that stand for good ones which are refused.
    private(set) var moved: [UInt64: Row] = [:]
    /// Rows that are no hit's, or that came with other bytes than before.
    private(set) var flaws: [String] = []
    private(set) var calls = 0

    private let refusesOneOf: UInt64

    init(_ agenda: Agenda, seed: UInt64, refusesOneOf: UInt64 = 0) {
        self.agenda = agenda
        self.refusesOneOf = refusesOneOf
        dice = SeededDice(seed: seed)
    }

    func rows(isGood: Bool) -> [UInt64: Row] { isGood ? good : bad }

    /// Whether the good row of that hit is never taken.
    func refuses(_ hit: UInt64) -> Bool {
        refusesOneOf > 0 && ((hit &* 2_654_435_761) >> 7) % refusesOneOf == 0
    }

    private func refuses(_ record: [UInt8]) -> Bool {
        refusesOneOf > 0
            && record.split(separator: UInt8(ascii: "\n")).contains {
                SimulatedHit.number(ofRow: $0).map(refuses) ?? false
            }
    }

    /// Of the rows, in whatever order, and of how often each came.
    var fingerprint: UInt64 {
        var sum = UInt64(calls)
        for rows in [good, bad, opaque, moved] {
            for (hit, row) in rows { sum &+= hit &* UInt64(row.count * 1000 + row.bytes.count) }
        }
        return sum
    }

    /// - Parameters:
    ///   - took: the rows of the call that were taken, at the moment of taking them.
    ///   - answered: what the caller hears; of a silent service, that the time is over.
    func call(
        isGood: Bool, _ body: UnsafeRawBufferPointer, took: @escaping ([UInt64]) -> Void,
        answered: @escaping (FirehoseReply) -> Void
    ) {
        calls += 1
        let records = Self.records(of: body)
        agenda.after(1 + dice.roll(20)) { [self] in
            judge(records, isGood, took, answered)
        }
    }

    private func judge(
        _ records: [[UInt8]], _ isGood: Bool, _ took: ([UInt64]) -> Void,
        _ answered: @escaping (FirehoseReply) -> Void
    ) {
        if weather.isDown { return answered(.failed(.init(fault: .retry, text: "down"))) }
        if weather.throttles { return answered(.failed(.init(fault: .throttled, text: "slow"))) }
        let refused = isGood ? records.indices.filter { refuses(records[$0]) } : []
        if weather.isSilent {
            if dice.chance(50), refused.isEmpty { took(take(records[...], isGood)) }
            return agenda.after(15_000) {
                answered(.failed(.init(fault: .retry, text: "no answer")))
            }
        }
        if weather.garbles {
            if dice.chance(50), refused.isEmpty { took(take(records[...], isGood)) }
            return answered(.failed(.init(fault: .notFirehose, text: "garbled")))
        }
        if !refused.isEmpty { return refuse(refused, records, took, answered) }
        let failed = records.indices.filter { _ in dice.chance(weather.refusedPercent) }
        for index in records.indices where !failed.contains(index) {
            took(take(records[index...index], isGood))
        }
        answered(
            failed.isEmpty ? .delivered : .partial(failed: failed, fault: .throttled, text: "part"))
    }

    /// The whole call, as the service does, or those records alone.
    private func refuse(
        _ refused: [Int], _ records: [[UInt8]], _ took: ([UInt64]) -> Void,
        _ answered: (FirehoseReply) -> Void
    ) {
        if dice.chance(70) { return answered(.failed(.init(fault: .invalid, text: "no"))) }
        for index in records.indices where !refused.contains(index) {
            took(take(records[index...index], true))
        }
        answered(.partial(failed: refused, fault: .invalid, text: "not these"))
    }

    private func take(_ records: ArraySlice<[UInt8]>, _ isGood: Bool) -> [UInt64] {
        var numbers: [UInt64] = []
        for record in records {
            for row in record.split(separator: UInt8(ascii: "\n")) {
                guard let number = SimulatedHit.number(ofRow: row) else {
                    flaws.append("a row of nobody's: \(String(decoding: row, as: UTF8.self))")
                    continue
                }
                numbers.append(number)
                if isGood {
                    note(number, row, &good)
                } else if SimulatedHit.isOpaque(row: row) {
                    note(number, row, &opaque)
                } else if SimulatedHit.isMoved(row: row) {
                    note(number, row, &moved)
                } else {
                    note(number, row, &bad)
                }
            }
        }
        return numbers
    }

    private func note(
        _ number: UInt64, _ row: ArraySlice<UInt8>, _ rows: inout [UInt64: Row]
    ) {
        let bytes = Array(row)
        if let before = rows[number], before.bytes != bytes {
            flaws.append("hit \(number) came again with other bytes")
        }
        rows[number, default: Row(bytes: bytes)].count += 1
    }

    /// The records of a PutRecordBatch body, out of their base64.
    private static func records(of body: UnsafeRawBufferPointer) -> [[UInt8]] {
        let key = Array("\"Data\":\"".utf8)
        let (base, end) = (body.baseAddress!, body.baseAddress! + body.count)
        var records: [[UInt8]] = []
        var at = base
        // In base64 there is no quote, so each one opens or ends something.
        while let quote = memchr(at, 34, at.distance(to: end)) {
            at = UnsafeRawPointer(quote)
            guard at + key.count <= end else { break }
            guard memcmp(at, key, key.count) == 0 else {
                at += 1
                continue
            }
            let start = at + key.count
            guard let close = memchr(start, 34, start.distance(to: end)) else { break }
            let text = Data(bytes: start, count: start.distance(to: UnsafeRawPointer(close)))
            records.append(Array(Data(base64Encoded: text) ?? Data("?".utf8)))
            at = UnsafeRawPointer(close)
        }
        return records
    }
}
