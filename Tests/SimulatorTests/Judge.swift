import Config
import Core

@testable import Router
@testable import Worker

/// Knows what was promised, and finds what was not kept.
///
/// After a life whose power was never cut: every hit answered 200 or 400 was taken by Firehose, as
/// the row it must be; the spool held each accepted hit once; a row came twice only where its call
/// was in flight at a death, or went unanswered; nothing came that was not sent; the ledgers close,
/// and no count ever fell.
struct Judge {
    private var answers: [UInt64: Answer] = [:]
    private var last: [SpoolLedger?]
    private var repeats: [(delivery: SimulatedDelivery, isGood: Bool)] = []
    private var cursorWasLoose = false
    private var wasCut = false
    /// The disk refused twice: what was written again may be in the spool twice.
    private var spoolWasLoose = false
    /// A worker died knowing of a failed sync. The kernel tells nobody else of it, so its successor
    /// takes for durable what the page cache alone has.
    private var syncWasLost = false
    private var deaths = 0
    /// Hits that were sent and must not be decoded.
    var poison: [UInt64] = []
    /// Sent after the last fault: answered and delivered, no matter what was before.
    var fresh: ClosedRange<UInt64>?
    private(set) var flaw: String?

    init(_ plan: Plan) { last = Array(repeating: nil, count: plan.workers) }

    mutating func answered(_ hit: UInt64, _ answer: Answer) {
        if answers.updateValue(answer, forKey: hit) != nil { fail("hit \(hit) was answered twice") }
    }

    /// What was not on disk is gone; where acks waited for it, that was not acknowledged.
    mutating func powerWasCut(isSynced: Bool) {
        wasCut = true
        // Kept as answered, so that no hit is answered twice, but without a promise.
        if !isSynced || syncWasLost { answers = answers.mapValues { _ in .unavailable } }
        last = last.map { _ in nil }
    }

    mutating func died(_ worker: SimulatedWorker) {
        deaths += 1
        repeats.append((worker.good, true))
        repeats.append((worker.bad, false))
        cursorWasLoose = cursorWasLoose || worker.hasLooseCursor
        syncWasLost = syncWasLost || worker.knowsOfFailedSync
    }

    mutating func spoolIsLoose() { spoolWasLoose = true }

    mutating func recovered(shard: Int, _ ledger: SpoolLedger) {
        if !ledger.closes { fail("shard \(shard): the ledger does not close: \(ledger)") }
        if let before = last[shard] {
            for (now, then) in [(ledger.good, before.good), (ledger.bad, before.bad)]
            where now.cumulativeHits < then.cumulativeHits || now.delivered < then.delivered {
                fail("shard \(shard): a count fell: \(then) then \(now)")
            }
        }
        last[shard] = ledger
    }

    private mutating func fail(_ text: String) { flaw = flaw ?? text }

    mutating func verdict(
        sent: UInt64, firehose: SimulatedFirehose, ledgers: [SpoolLedger],
        encoder: UnsafeMutablePointer<RowEncoder>
    ) -> String? {
        for (shard, ledger) in ledgers.enumerated() { recovered(shard: shard, ledger) }
        if let flaw = firehose.flaws.first { fail(flaw) }
        checkAnswers(firehose)
        checkRows(firehose, sent, encoder)
        checkMoved(firehose, sent, encoder)
        checkOpaque(firehose, sent, encoder)
        if !wasCut, !spoolWasLoose {
            checkSpool(firehose, ledgers)
            checkRepeats(firehose)
        }
        return flaw
    }

    private mutating func checkAnswers(_ firehose: SimulatedFirehose) {
        for hit in answers.keys.sorted() {
            switch answers[hit]! {
            case .pixel where firehose.good[hit] == nil && firehose.moved[hit] == nil:
                fail("hit \(hit), answered 200, is lost")
            case .invalidPixel where firehose.bad[hit] == nil && firehose.opaque[hit] == nil:
                fail("hit \(hit), answered 400, is lost")
            default: break
            }
        }
        for hit in fresh ?? 1...0 {
            switch answers[hit] {
            case .pixel, .invalidPixel: break
            case let other:
                fail(
                    "hit \(hit), after all faults, was answered \(other.map { "\($0)" } ?? "nothing")"
                )
            }
        }
    }

    private mutating func checkRows(
        _ firehose: SimulatedFirehose, _ sent: UInt64, _ encoder: UnsafeMutablePointer<RowEncoder>
    ) {
        for isGood in [true, false] {
            let rows = firehose.rows(isGood: isGood)
            for hit in rows.keys.sorted() {
                if hit == 0 || hit > sent { return fail("hit \(hit) was never sent") }
                let expected = SimulatedHit(number: hit).row(encoder)
                if expected.isGood != isGood || Array(expected.bytes.dropLast()) != rows[hit]!.bytes
                {
                    return fail("hit \(hit) became another row")
                }
            }
        }
    }

    /// Only what Firehose refuses is set aside, whole.
    private mutating func checkMoved(
        _ firehose: SimulatedFirehose, _ sent: UInt64, _ encoder: UnsafeMutablePointer<RowEncoder>
    ) {
        let format = MovedRowFormat(SchemaFile.standard.schema)
        for hit in firehose.moved.keys.sorted() {
            if hit == 0 || hit > sent { return fail("hit \(hit) was never sent") }
            if !firehose.refuses(hit) { return fail("hit \(hit) was set aside and not refused") }
            let row = format.badRow(SimulatedHit(number: hit).row(encoder).bytes)
            if Array(row.dropLast()) != firehose.moved[hit]!.bytes {
                return fail("hit \(hit), set aside, became another row")
            }
        }
    }

    /// Only what workers died over goes undecoded: four of them for each such hit.
    private mutating func checkOpaque(
        _ firehose: SimulatedFirehose, _ sent: UInt64, _ encoder: UnsafeMutablePointer<RowEncoder>
    ) {
        for hit in firehose.opaque.keys.sorted() {
            if hit == 0 || hit > sent { return fail("hit \(hit) was never sent") }
            let row = SimulatedHit(number: hit).opaqueRow(encoder)
            if Array(row.dropLast()) != firehose.opaque[hit]!.bytes {
                return fail("hit \(hit), undecoded, became another row")
            }
            if !poison.contains(hit), deaths < 2 * PoisonMachine.deathsMax {
                return fail("hit \(hit) was stored undecoded and had killed nobody")
            }
        }
        for hit in poison where firehose.good[hit] != nil || firehose.bad[hit] != nil {
            return fail("hit \(hit) was decoded and kills whoever decodes it")
        }
    }

    private mutating func checkSpool(_ firehose: SimulatedFirehose, _ ledgers: [SpoolLedger]) {
        let good = ledgers.reduce(0) { $0 + $1.good.cumulativeHits }
        let bad = ledgers.reduce(0) { $0 + $1.bad.cumulativeHits }
        let moved = UInt64(firehose.moved.count)
        if good != UInt64(firehose.good.count) + moved
            || bad != UInt64(firehose.bad.count + firehose.opaque.count) + moved
        {
            fail(
                "the spool held \(good) good and \(bad) bad rows, Firehose took "
                    + "\(firehose.good.count) and \(firehose.bad.count) + \(firehose.opaque.count) "
                    + "different ones, and \(moved) that were set aside")
        }
        if moved != ledgers.reduce(0, { $0 + $1.good.setAside }) {
            fail("\(moved) different rows were set aside, and the ledgers say otherwise")
        }
        if ledgers.contains(where: { $0.dropped > 0 }) { fail("hits were dropped") }
    }

    /// A row comes once, and once more for each time its call was cut short.
    private mutating func checkRepeats(_ firehose: SimulatedFirehose) {
        if cursorWasLoose { return }
        var allowed: [Bool: [UInt64: Int]] = [true: [:], false: [:]]
        for (delivery, isGood) in repeats {
            for hit in delivery.taken { allowed[isGood]![hit, default: 0] += 1 }
        }
        for (delivery, isGood) in deliveries {
            for hit in delivery.ambiguous { allowed[isGood]![hit, default: 0] += 1 }
        }
        for isGood in [true, false] {
            let rows = firehose.rows(isGood: isGood).merging(isGood ? [:] : firehose.moved) {
                row, _ in row
            }
            for hit in rows.keys.sorted()
            where rows[hit]!.count > 1 + (allowed[isGood]![hit] ?? 0) {
                return fail("hit \(hit) came \(rows[hit]!.count) times")
            }
        }
    }

    /// Every delivery there ever was.
    var deliveries: [(delivery: SimulatedDelivery, isGood: Bool)] = []
}
