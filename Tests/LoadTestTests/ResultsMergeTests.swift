import Testing
import TestSupport

@testable import LoadTest

@Suite struct ResultsMergeTests {
    private static let first = SampleRun(seconds: 10, seed: 1, host: "a", stallSecond: nil).result
    /// Began 3.2 s later.
    private static let second = SampleRun(
        seconds: 10, seed: 2, host: "b", startedAtMicroseconds: 1_795_419_003_323_000,
        stallSecond: 5
    ).result

    @Test
    func `counters and distributions are added, seconds laid beside one another by the clock`()
        throws
    {
        let merged = try RunResult.merged([Self.second, Self.first])
        #expect(merged.startedAtMicroseconds == Self.first.startedAtMicroseconds, "the earliest")
        for counter in [LoadCounter.due, .sent, .answered, .dropped, .late, .bytesRead] {
            #expect(
                merged.totals[counter] == Self.first.totals[counter] + Self.second.totals[counter])
        }
        #expect(merged.totals.errors == Self.first.totals.errors + Self.second.totals.errors)
        #expect(merged.response.total == Self.first.response.total + Self.second.response.total)
        #expect(merged.seconds.map(\.index) == Array(0..<13))
        #expect(merged.seconds[2] == Self.first.seconds[2], "only the first ran")
        #expect(merged.seconds[3].backlog == 0)
        #expect(
            merged.seconds[8][.answered]
                == Self.first.seconds[8][.answered] + Self.second.seconds[5][.answered])
        #expect(merged.seconds[8].backlog == 1300, "the stall of the second's second 5")
        let all = merged.seconds.reduce(into: LatencyCells()) { $0.add($1.response) }
        #expect(all == merged.response)
        #expect(abs(merged.elapsedSeconds - 13.2123) < 0.001)
    }

    @Test func `the plan is what was asked of all, and each one's is kept`() throws {
        let merged = try RunResult.merged([Self.first, Self.second])
        #expect(merged.plan.connections == 128)
        #expect(merged.plan.threadsInAll == 4)
        #expect(merged.plan.rate == .constant(4000, seconds: 10))
        #expect(merged.mergedFrom == 2)
        #expect(merged.parts?.map(\.machine.host) == ["a", "b"])
        #expect(merged.parts?.map(\.plan) == [Self.first.plan, Self.second.plan])
        #expect(merged.warnings == ["the merged runs started 3.2 s apart by their clocks"])
        #expect(try RunResult(json: merged.json()) == merged)
        #expect(TextSummary(merged).text.contains("merged from 2 results of 2 hosts"))
    }

    @Test func `a merge of merges is the merge of all`() throws {
        let third = SampleRun(seconds: 10, seed: 3, host: "c", stallSecond: nil).result
        let stepwise = try RunResult.merged([RunResult.merged([Self.first, third]), Self.second])
        let atOnce = try RunResult.merged([Self.first, third, Self.second])
        #expect(stepwise.response == atOnce.response)
        #expect(stepwise.totals == atOnce.totals)
        #expect(stepwise.seconds == atOnce.seconds)
        #expect(stepwise.parts == atOnce.parts)
        #expect(stepwise.mergedFrom == 3)
        #expect(try RunResult.merged([Self.first]) == Self.first, "one alone is itself")
    }

    @Test func `what has no sum is refused`() throws {
        #expect(throws: MergeError.self) { try RunResult.merged([]) }
        let twice = #expect(throws: MergeError.self) {
            try RunResult.merged([Self.first, Self.second, Self.first])
        }
        #expect(twice?.description.contains("twice") == true)
        let again = try RunResult.merged([Self.first, Self.second])
        #expect(throws: MergeError.self) { try RunResult.merged([again, Self.second]) }
        var closed = Self.second
        closed.plan.model = .closed
        #expect(throws: MergeError.self) { try RunResult.merged([Self.first, closed]) }
        var newer = Self.second
        newer.format = 2
        #expect(throws: MergeError.self) { try RunResult.merged([Self.first, newer]) }
    }

    @Test func `what differs is said`() throws {
        var other = Self.second
        other.plan.target.host = "10.0.0.9"
        other.plan.pipeline = 4
        other.startedAtMicroseconds += 3_600_000_000
        other.warnings = ["the generator was out of CPU"]
        let merged = try RunResult.merged([Self.first, other])
        #expect(merged.warnings.contains { $0.contains("differ in target: http://10.0.0.9:8080/") })
        #expect(merged.warnings.contains("the merged runs differ in pipelining: 1, 4"))
        #expect(merged.warnings.contains("the merged runs did not all happen at the same time"))
        #expect(merged.warnings.contains("b: the generator was out of CPU"))
    }

    @Test func `ledger findings are added only when no request can be in two of them`() throws {
        var (one, two) = (Self.first, Self.second)
        (one.ledger, two.ledger) = (RunResult.rich.ledger, RunResult.rich.ledger)
        one.ledger?.foreign = 9
        let merged = try RunResult.merged([one, two])
        #expect(merged.ledger?.acked == 114_600)
        #expect(merged.ledger?.foreign == 0)
        two.plan.run = one.plan.run
        let same = try RunResult.merged([one, two])
        #expect(same.ledger == nil)
        #expect(same.warnings.contains { $0.contains("the same run number") })
        two.ledger = nil
        let half = try RunResult.merged([one, two])
        #expect(half.ledger == nil)
        #expect(half.warnings.contains { $0.contains("1 of 2 results have ledger findings") })
    }

    @Test func `rates add piece by piece`() {
        let ramp = RateProfile(pieces: [.init(seconds: 10, from: 0, to: 100)])
        let sum = ramp.added(to: .constant(50, seconds: 5))
        #expect(
            sum.pieces == [
                .init(seconds: 5, from: 50, to: 100), .init(seconds: 5, from: 50, to: 100),
            ])
    }
}

@Suite struct ResultsSecondsTests {
    private final class Memory {
        let base: UnsafeMutableRawPointer
        let board: LoadBoard

        init(threads: Int) {
            let bytes = LoadBoard.byteCount(threads: threads)
            base = .allocate(byteCount: bytes, alignment: 4096)
            base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            board = LoadBoard(creatingAt: base, threads: threads)
        }

        deinit { base.deallocate() }
    }

    @Test func `each tick takes what came since the last, and all together are the totals`() {
        let memory = Memory(threads: 3)
        let board = memory.board
        var dice = SeededDice(seed: 77)
        var recorder = SecondsRecorder()
        for tick in 1...20 {
            for thread in 0..<3 {
                let section = board.section(thread)
                for _ in 0..<dice.roll(50) {
                    section.add(to: .sent)
                    section.add(to: .answered)
                    section.count(status: dice.chance(3) ? 400 : 200)
                    section.record(.response, nanoseconds: dice.roll(1 << 33))
                    section.record(.service, nanoseconds: dice.roll(1 << 28))
                }
                section.set(.inFlight, to: UInt64(thread))
            }
            recorder.tick(board, elapsedSeconds: Double(tick) + 0.003)
        }
        let seconds = recorder.seconds
        #expect(seconds.map(\.index) == Array(0..<20))
        #expect(seconds.allSatisfy { abs($0.spanSeconds - 1) < 0.01 && $0.inFlight == 3 })
        let totals = RunResult.Totals(board)
        #expect(seconds.reduce(0) { $0 + $1[.answered] } == totals[.answered])
        #expect(seconds.reduce(0) { $0 + $1.answers(.bad) } == totals.answers(.bad))
        #expect(totals.counters["inFlight"] == nil, "a level is no total")
        let response = seconds.reduce(into: LatencyCells()) { $0.add($1.response) }
        #expect(response == board.cells(.response))
        let bySection = (0..<3).reduce(into: LatencyCells()) {
            $0.add(board.section($1).cells(.service))
        }
        #expect(bySection == board.cells(.service))
    }

    @Test func `a late tick is one longer second, and a short rest joins the last`() {
        let memory = Memory(threads: 1)
        var recorder = SecondsRecorder()
        func count(_ amount: UInt64) { memory.board.section(0).add(amount, to: .sent) }
        count(10)
        recorder.tick(memory.board, elapsedSeconds: 1.001)
        count(30)
        recorder.tick(memory.board, elapsedSeconds: 4.1)
        count(5)
        recorder.tick(memory.board, elapsedSeconds: 4.15)
        count(7)
        recorder.tick(memory.board, elapsedSeconds: 4.3)
        #expect(recorder.seconds.map(\.index) == [0, 3])
        #expect(recorder.seconds.map { $0[.sent] } == [10, 42])
        #expect(abs(recorder.seconds[1].spanSeconds - 3.299) < 1e-9)
        #expect(abs(recorder.seconds[1].rate(.sent) - 42 / 3.299) < 1e-9)
    }

    @Test func `what was stolen is kept by second, weighted where a rest joins`() {
        let memory = Memory(threads: 1)
        var recorder = SecondsRecorder()
        recorder.tick(memory.board, elapsedSeconds: 1, stolenShare: 0.1)
        recorder.tick(memory.board, elapsedSeconds: 2, stolenShare: nil)
        recorder.tick(memory.board, elapsedSeconds: 3, stolenShare: 0)
        recorder.tick(memory.board, elapsedSeconds: 3.2, stolenShare: 0.6)
        let shares = recorder.seconds.map(\.stolenShare)
        #expect(shares.prefix(2) == [0.1, nil])
        #expect(abs(shares[2]! - 0.1) < 1e-9)
    }

    @Test func `calm seconds are free of steal, and so is the one before each`() {
        var result = SampleRun(seconds: 6).result
        #expect(result.calmSeconds.isEmpty, "steal is not known")
        for (place, share) in [0, 0, 0.02, 0, 0, nil].enumerated() {
            result.seconds[place].stolenShare = share
        }
        #expect(result.calmSeconds.map(\.index) == [0, 1, 4])
        let total = [0, 1, 4].reduce(0) { $0 + result.seconds[$1].response.total }
        #expect(result.calmResponse.total == total)
    }

    @Test func `merged seconds were calm where every generator's were`() throws {
        var one = SampleRun(seconds: 3).result
        var other = SampleRun(seconds: 3, seed: 9, host: "other").result
        for (place, share) in [0, 0.5, nil].enumerated() { one.seconds[place].stolenShare = share }
        for (place, share) in [0.25, 0, 0].enumerated() { other.seconds[place].stolenShare = share }
        let merged = try RunResult.merged([one, other])
        #expect(merged.seconds.map(\.stolenShare) == [0.25, 0.5, nil])
    }

    @Test func `threads and their last failure are read`() {
        let memory = Memory(threads: 2)
        let board = memory.board
        #expect(board.lastFailure == nil)
        board.section(0).set(.cpuNanoseconds, to: 1_500_000_000)
        board.section(1).set(.cpuNanoseconds, to: 1_000_000_000)
        board.section(1).set(.endedAtNanoseconds, to: 4_000_000_000)
        board.section(1).set(.lastErrno, to: 111)
        #expect(board.threadLoads(elapsedSeconds: 2) == [0.75, 0.25])
        #expect(board.lastFailure == "Connection refused")
    }
}
