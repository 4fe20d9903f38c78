import Core
import Glibc
import Logging
import Synchronization

/// The one writer of a process: filters repeats, lays lines out, counts what was lost.
final class LogWriter: Sendable {
    private struct State {
        var layout: LineLayout
        var output: LogOutput
        var filter = RepeatFilter()
        var linesLost = 0
    }

    private let state: Mutex<State>

    init(layout: LineLayout, output: LogOutput) {
        state = Mutex(State(layout: layout, output: output))
    }

    func change(format: Settings.LogFormat) {
        state.withLock { $0.layout = $0.layout.with(format: format) }
    }

    deinit { flush() }

    func write(_ line: LogLine) {
        let clocks = Self.clocks()
        state.withLock { state in
            for due in state.filter.arrived(line, nowMs: clocks.monotonicMs) {
                put(due, wallMs: clocks.wallMs, state: &state)
            }
        }
    }

    /// Tells the counts that are still kept.
    func flush() {
        let clocks = Self.clocks()
        state.withLock { state in
            for due in state.filter.flush() { put(due, wallMs: clocks.wallMs, state: &state) }
        }
    }

    private func put(_ due: RepeatFilter.Due, wallMs: UInt64, state: inout State) {
        var line = due.line
        if due.repeats > 0 { line.fields.append(("repeated", "\(due.repeats)")) }
        if state.linesLost > 0 { line.fields.append(("log_lines_lost", "\(state.linesLost)")) }
        if state.output.write(state.layout.bytes(for: line, timeMs: wallMs)) {
            state.linesLost = 0
        } else {
            state.linesLost += 1
        }
    }

    private static func clocks() -> (wallMs: UInt64, monotonicMs: UInt64) {
        (milliseconds(of: CLOCK_REALTIME), milliseconds(of: CLOCK_MONOTONIC))
    }

    private static func milliseconds(of clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(max(0, now.tv_sec)) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }
}
