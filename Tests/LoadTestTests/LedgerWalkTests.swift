import Core
import Foundation
import TestSupport
import Testing

@testable import LoadTest

/// Random histories of requests, laid out in real files, against a count made the plain way.
@Suite struct LedgerWalkTests {
    private struct Sighting: Hashable {
        var run: UInt32
        var sequence: UInt64
        var id: UInt64
        var isBad: Bool
        var place: RowPlace
    }

    private struct History {
        var entries: [UInt32: [LedgerEntry]] = [1: [], 2: []]
        var sightings: [Sighting] = []
        var foreign: UInt64 = 0
    }

    private static let outcomes: [UInt16] = [
        200, 200, 200, 204, 302, 400, 400, 503, 404, 0, 1, 2, 3,
    ]

    private func history(_ dice: inout SeededDice) -> History {
        var history = History()
        var id: UInt64 = 0
        for run: UInt32 in [1, 2] {
            for sequence in 0..<(20 + dice.roll(100)) {
                let isRecorded = !dice.chance(8)
                if isRecorded {
                    let outcome = Self.outcomes[Int(dice.roll(UInt64(Self.outcomes.count)))]
                    history.entries[run]!.append(entry(sequence, outcome))
                }
                for _ in 0..<[0, 1, 1, 1, 2, 3][Int(dice.roll(6))] {
                    id += 1
                    let isBad = dice.chance(25)
                    for _ in 0..<[1, 1, 1, 2, 3, 40][Int(dice.roll(6))] {
                        history.sightings.append(
                            Sighting(
                                run: run, sequence: sequence, id: id, isBad: isBad,
                                place: RowPlace.allCases[Int(dice.roll(3))]))
                    }
                }
            }
        }
        history.sightings.shuffle(using: &dice)
        history.foreign = dice.roll(5)
        return history
    }

    private func naive(_ history: History) -> LedgerFindings {
        var wanted = LedgerFindings()
        var rows: [HitLabel: [Sighting]] = [:]
        for row in history.sightings {
            rows[HitLabel(run: row.run, sequence: row.sequence), default: []].append(row)
        }
        for (run, entries) in history.entries {
            for entry in entries {
                let mine =
                    rows.removeValue(forKey: HitLabel(run: run, sequence: entry.sequence)) ?? []
                countCopies(mine, &wanted)
                wanted.sent += 1
                let arrived = mine.contains { !$0.isBad && $0.place != .waiting }
                let bad = mine.filter(\.isBad)
                func countBad() {
                    wanted.bad += 1
                    if bad.allSatisfy({ $0.place == .waiting }) { wanted.badSpooled += 1 }
                }
                func countKept() { if !mine.isEmpty { wanted.unpromisedKept += 1 } }
                switch entry.outcome {
                case 200, 204, 302:
                    wanted.acked += 1
                    if arrived {
                        wanted.delivered += 1
                    } else if !bad.isEmpty {
                        countBad()
                    } else if !mine.isEmpty {
                        wanted.spooled += 1
                    } else {
                        wanted.lost += 1
                    }
                case 400:
                    wanted.ackedBad += 1
                    if bad.isEmpty { wanted.lost += 1 } else { countBad() }
                case 503:
                    wanted.refused += 1
                    countKept()
                    if !mine.isEmpty { wanted.refusedKept += 1 }
                case 404:
                    wanted.otherAnswers += 1
                    countKept()
                default:
                    wanted.unanswered += 1
                    countKept()
                    if !mine.isEmpty { wanted.unansweredKept += 1 }
                }
            }
        }
        for mine in rows.values {
            countCopies(mine, &wanted)
            wanted.unrecorded += 1
        }
        wanted.foreign = history.foreign
        wanted.rowsRead = UInt64(history.sightings.count) + history.foreign
        return wanted
    }

    private func countCopies(_ rows: [Sighting], _ wanted: inout LedgerFindings) {
        let byID = Dictionary(grouping: rows, by: \.id).values
        wanted.retried += UInt64(max(0, byID.count - 1))
        for copies in byID {
            let most = [RowPlace.objects, .warehouse].map { place in
                copies.count { $0.place == place }
            }.max()!
            wanted.resent += UInt64(max(0, most - 1))
        }
    }

    private func lay(_ history: History, _ scratch: LedgerScratch, _ dice: inout SeededDice) throws
    {
        let maker = RowMaker()
        for (run, entries) in history.entries {
            let cut = Int(dice.roll(UInt64(entries.count + 1)))
            try scratch.writeLedger(
                Array(entries[..<cut].shuffled(using: &dice)), run: run, "\(run)a")
            try scratch.writeLedger(Array(entries[cut...]), run: run, "\(run)b")
        }
        var places: [[[UInt8]]] = Array(repeating: [], count: 6)
        var good: [(String, String)] = []
        var bad: [(String, String)] = []
        for row in history.sightings {
            let bytes =
                row.isBad
                ? maker.bad(row.sequence, id: row.id, run: row.run)
                : maker.good(row.sequence, id: row.id, run: row.run)
            let text = label(row.sequence, run: row.run)
            switch row.place {
            case .waiting: places[row.isBad ? 0 : 1 + Int(dice.roll(2))].append(bytes)
            case .objects: places[3 + Int(dice.roll(3))].append(bytes)
            case .warehouse where row.isBad:
                let raw = Data("/p.gif?z=\(row.id)&_hl=\(text)".utf8).base64EncodedString()
                bad.append((idText(row.id), raw))
            case .warehouse: good.append((idText(row.id), "{\"_hl\":\"\(text)\"}"))
            }
        }
        places[3] += Array(
            repeating: Array("{\"id\":\"none\"}\n".utf8), count: Int(history.foreign))
        _ = scratch.writeSegment(grouped(places[0], &dice), lane: .bad)
        _ = scratch.writeSegment(grouped(places[1], &dice), shard: 3, number: 12)
        scratch.writeBuffer(
            grouped(places[2], &dice), "var/local/streams/x/buffer-0000000001-2026-11-23-01-02-03-x"
        )
        scratch.writeObject(places[3], "var/s3/bucket/a.gz")
        scratch.writeObject(places[4], "more/b")
        scratch.write(places[5].flatMap(\.self), "plain")
        scratch.writeWarehouse(good: good, bad: bad, "warehouse.db")
    }

    /// Groups of one to five.
    private func grouped(_ rows: [[UInt8]], _ dice: inout SeededDice) -> [[[UInt8]]] {
        var rest = rows[...]
        var groups: [[[UInt8]]] = []
        while !rest.isEmpty {
            let count = 1 + Int(dice.roll(5))
            groups.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return groups
    }

    @Test(arguments: 1...30)
    func `any history comes out as counted the plain way`(seed: Int) throws {
        var dice = SeededDice(seed: UInt64(seed))
        let scratch = LedgerScratch()
        let history = history(&dice)
        try lay(history, scratch, &dice)
        var found = try scratch.report(
            ["1a", "1b", "2a", "2b"].shuffled(using: &dice),
            against: ["var", "more", "plain", "warehouse.db"].shuffled(using: &dice))
        #expect(found.closes)
        #expect(found.unreadable.isEmpty && found.isComplete == (found.unrecorded == 0))
        #expect(found.lostExamples.count == Int(min(10, found.lost)))
        found.lostExamples = []
        found.notes = []
        found.runs = []
        found.startedAtMicroseconds = 0
        #expect(found == naive(history))
    }
}
