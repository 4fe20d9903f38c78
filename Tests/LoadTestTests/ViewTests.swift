import Testing

@testable import LoadTest

extension ViewState {
    /// Ten seconds into a run of 30 s at 20,000 a second.
    static func sample(_ change: (inout ViewState) -> Void = { _ in }) -> ViewState {
        var state = ViewState(plan: .steady(rate: 20_000, seconds: 30))
        state.phase = .running
        state.elapsedSeconds = 10
        state.sent = 199_990
        state.lastSecond = Span(
            asked: 20_000, sent: 20_001, answered: 19_998,
            response: Latencies(p50: 420, p90: 610, p99: 1120, p999: 3400, max: 8200),
            service: Latencies(p99: 410))
        state.wholeRun = Span(
            asked: 20_000, sent: 19_999, answered: 19_999,
            response: Latencies(p50: 430, p90: 620, p99: 1300, p999: 34_000, max: 1_082_000),
            service: Latencies(p99: 405))
        state.answeredBySecond = [0, 5000, 10_000, 15_000, 20_000, 20_000]
        state.answers = Answers(ok: 198_786, bad: 1204)
        state.inFlight = 12
        state.connectionsOpen = 64
        state.scheduleP99Microseconds = 60
        state.cpuLoad = 0.41
        state.ledgerBytes = 3_199_840
        change(&state)
        return state
    }

    static func troubled() -> ViewState {
        .sample {
            $0.answers.refused = 31
            $0.failures = [
                Failure(kind: .connectFailed, count: 3), Failure(kind: .timedOut, count: 0),
            ]
            $0.lastFailure = "Connection refused"
            $0.backlog = 1000
            $0.dropped = 1234
            $0.late = 56_789
            $0.cpuLoad = 0.97
        }
    }
}

@Suite struct ViewTests {
    static func frame(
        _ state: ViewState, _ columns: Int = 80, _ rows: Int = 24, usesColor: Bool = false
    ) -> String {
        LiveView.frame(state: state, columns: columns, rows: rows, usesColor: usesColor)
            .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
            .joined(separator: "\n")
    }

    @Test func `a run that goes well, 80 by 24`() {
        #expect(
            Self.frame(.sample()) == """
                hydrant load http://127.0.0.1:8080/p.gif  open model, 64 connections, 2 threads
                █████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░  33%   10 s of 30 s, 20 s left

                requests/s           asked        sent    answered
                last second         20,000      20,001      19,998
                mean                20,000      19,999      19,999
                answered       ▃▅▆██

                response             p50       p90       p99     p99.9       max
                last second       420 µs    610 µs   1.12 ms   3.40 ms   8.20 ms
                whole run         430 µs    620 µs   1.30 ms   34.0 ms    1.08 s
                service p99   last second 410 µs   whole run 405 µs

                answers       ok 198,786   bad (400) 1,204   refused (503) 0   other 0
                errors        none
                now           backlog 0   in flight 12   connections 64 of 64
                generator     dropped 0   late 0   schedule error p99 60 µs   CPU 41%
                ledger        3.2 MB

                Ctrl-C ends the run and keeps the report
                """)
    }

    @Test func `trouble is marked and comes first where there is little room`() {
        #expect(
            Self.frame(.troubled(), 40, 10) == """
                hydrant load http://127.0.0.1:8080/p.gif
                ███░░░░░░  33%   10 s of 30 s, 20 s left
                a second     asked      sent  answered
                last        20,000    20,001    19,998
                response       p50       p99       max
                last        420 µs   1.12 ms   8.20 ms
                run         430 µs   1.30 ms    1.08 s
                ! answers   refused (503) 31
                ! errors    connect failed 3
                ! generator dropped 1,234   late 56,789
                """)
    }

    @Test func `trouble in color is red, and never only a color`() {
        let lines = LiveView.frame(state: .troubled(), columns: 80, rows: 24, usesColor: true)
        #expect(
            lines.contains(
                "\u{1B}[1;31m! generator   \u{1B}[0m\u{1B}[2mdropped \u{1B}[0m"
                    + "\u{1B}[1;31m1,234\u{1B}[0m   \u{1B}[2mlate \u{1B}[0m\u{1B}[1;31m56,789\u{1B}[0m   "
                    + "\u{1B}[2mschedule error p99 \u{1B}[0m60 µs   \u{1B}[2mCPU \u{1B}[0m"
                    + "\u{1B}[1;31m97%\u{1B}[0m"))
        let plain = LiveView.frame(state: .troubled(), columns: 80, rows: 24, usesColor: false)
        #expect(lines.map(LastFrame.width) == plain.map(\.unicodeScalars.count))
        #expect(plain.filter { $0.hasPrefix("! ") }.count == 3)
        #expect(!plain.joined().contains("\u{1B}"))
    }

    @Test func `the closed model has no schedule to show`() {
        let state = ViewState.sample {
            $0.model = .closed
            $0.lastSecond.asked = nil
            $0.wholeRun.asked = nil
        }
        let text = Self.frame(state)
        #expect(text.contains("\nlast second              –      20,001      19,998\n"))
        #expect(text.contains("\ngenerator     CPU 41%\n"))
        #expect(!text.contains("backlog"))
        #expect(text.contains("/p.gif  closed, 64 connections\n"))
    }

    @Test func `before the first answer there are no figures, and no progress by time alone`() {
        var plan = LoadPlan.steady()
        plan.seconds = nil
        let text = Self.frame(ViewState(plan: plan))
        #expect(text.contains("\nconnecting\n"))
        #expect(text.contains("last second            –         –         –         –         –"))
    }

    @Test func `a run that ends by requests shows how many are left`() {
        let state = ViewState.sample {
            $0.totalRequests = 400_000
            $0.totalSeconds = nil
        }
        #expect(Self.frame(state).contains(" 49%   10 s, 400,000 requests, 10 s left\n"))
        #expect(
            LiveView.plainLine(state).hasPrefix("10 s, 199,990 of 400,000 requests: asked 20,000/s")
        )
    }

    @Test(arguments: [
        (ViewState.Phase.finishing, "10 s, awaiting the last answers", "Ctrl-C ends"),
        (.stopping, "10 s, ending", "ending; the report follows"),
    ])
    func `the end is told`(phase: ViewState.Phase, time: String, hint: String) {
        let text = Self.frame(.sample { $0.phase = phase })
        #expect(text.contains(time))
        #expect(text.contains("\n" + hint))
    }

    @Test func `a note has its line`() {
        let state = ViewState.sample { $0.note = "trial 4: 8,000/s, 4,000/s held\u{1B}[2J" }
        #expect(Self.frame(state).contains("\ntrial 4: 8,000/s, 4,000/s held?[2J\n"))
    }

    /// Nothing wraps and nothing scrolls, whatever the size.
    @Test(arguments: [false, true])
    func `no frame is larger than its place`(usesColor: Bool) {
        let states = [
            ViewState.sample(), .troubled(),
            .sample { $0.target = "http://h/" + String(repeating: "x", count: 500) },
            .sample { $0.note = String(repeating: "n", count: 500) },
            .sample { $0.lastFailure = "\r\n\u{1B}[31m日本" },
            .sample { $0.answers.ok = .max },
            .sample { $0.elapsedSeconds = .infinity },
            .sample { $0.answeredBySecond = (0..<60).map { $0 } },
        ]
        for state in states {
            for columns in [0, 1, 2, 3, 10, 23, 24, 25, 39, 40, 47, 48, 60, 79, 80, 120, 300] {
                for rows in [0, 1, 3, 4, 5, 9, 10, 16, 23, 24, 40] {
                    let lines = LiveView.frame(
                        state: state, columns: columns, rows: rows, usesColor: usesColor)
                    #expect(lines.count <= rows)
                    #expect(lines.isEmpty == (rows == 0 || columns == 0))
                    for line in lines {
                        #expect(LastFrame.width(line) <= columns, "\(columns): \(line)")
                        #expect(!line.contains { $0.isNewline })
                    }
                }
            }
        }
    }

    @Test func `a target of strangers' bytes moves no cursor`() {
        let state = ViewState.sample { $0.target = "http://h/\u{1B}[2J\u{9B}ü\n" }
        #expect(Self.frame(state).hasPrefix("hydrant load http://h/?[2J???  open"))
    }

    @Test func `fewer rows keep what matters`() {
        let lines = Self.frame(.sample(), 80, 6).split(separator: "\n")
        #expect(
            lines.map { $0.prefix(9) } == [
                "hydrant l", "█████████", "last seco", "whole run", "answers  ", "errors   ",
            ])
        #expect(
            Self.frame(.sample(), 80, 3) == String(LiveView.plainLine(.sample()).prefix(79)) + "…")
    }

    // MARK: Plain lines

    @Test func `a plain line says the same in words`() {
        #expect(
            LiveView.plainLine(.sample())
                == "10 s of 30 s: asked 20,000/s, sent 20,001/s, answered 19,998/s, p50 420 µs, "
                + "p99 1.12 ms, max 8.20 ms, errors 0, bad 1,204, dropped 0")
        #expect(
            LiveView.plainLine(.troubled()).hasSuffix(
                "errors 3 (Connection refused), bad 1,204, refused 31, dropped 1,234, late 56,789"))
    }

    @Test func `plain lines become fewer`() {
        let times = [0.5, 9.9, 10, 59, 60, 599, 600, 1e6].map(LiveView.plainLineInterval)
        #expect(times == [1, 1, 5, 5, 30, 30, 60, 60])
    }

    @Test(arguments: [
        (0.0, "0 s"), (12.64, "12.6 s"), (59.9, "59.9 s"), (60, "1m00s"), (185, "3m05s"),
        (3725, "1h02m05s"), (-1, "0 s"),
    ])
    func `times are short`(seconds: Double, text: String) {
        #expect(Durations.text(seconds) == text)
    }
}

@Suite struct ViewStateTests {
    @Test func `a second and totals become what is shown`() {
        var state = ViewState(plan: .steady())
        let cells = LatencyCells(microseconds: Array(1...1000))
        for index in 0..<70 {
            state.took(
                second: RunResult.Second(
                    index: index,
                    counters: ["due": 100, "sent": 90, "answered": UInt64(index)],
                    statuses: ["200": 80], backlog: 5, inFlight: 6, connectionsOpen: 7,
                    response: cells, service: cells))
        }
        #expect(state.answeredBySecond == (10..<70).map { $0 })
        #expect(state.lastSecond.asked == 100)
        #expect(state.lastSecond.sent == 90)
        #expect(state.lastSecond.response.p999 == 999)
        #expect((state.backlog, state.inFlight, state.connectionsOpen) == (5, 6, 7))

        let totals = RunResult.Totals(
            counters: [
                "due": 100, "sent": 90, "answered": 80, "late": 2, "dropped": 1, "timedOut": 4,
            ],
            statuses: ["200": 50, "301": 5, "400": 4, "503": 3, "500": 2, "404": 1],
            lastFailure: "Connection reset by peer")
        state.took(
            totals: totals, response: cells, service: cells, schedule: cells, elapsed: 2)
        #expect(state.wholeRun.asked == 50 && state.wholeRun.sent == 45)
        #expect(state.wholeRun.answered == 40)
        #expect(state.answers == ViewState.Answers(ok: 55, bad: 4, refused: 3, other: 3))
        #expect(state.failed == 4 && state.late == 2 && state.dropped == 1)
        #expect(state.scheduleP99Microseconds == 990)
        #expect(state.progress == 0.2)
        #expect(state.secondsLeft == 8)
    }
}
