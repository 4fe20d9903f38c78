import Foundation

/// Which lives to live, and where to say how it goes: `ops/simulate` asks by environment.
///
///     FIRST_SEED   the first (1)
///     SEEDS        how many (2,500)
///     SEED_NOTES   a file that says how it goes: "run S", then "clean S", or "failed S"; behind it
///                  the history. A process that dies leaves the life it was at.
struct SeedOrder {
    let seeds: Range<UInt64>
    private let notes: Int32

    init() {
        let words = ProcessInfo.processInfo.environment
        let first = words["FIRST_SEED"].flatMap { UInt64($0) } ?? 1
        seeds = first..<(first + (words["SEEDS"].flatMap { UInt64($0) } ?? 2500))
        notes = words["SEED_NOTES"].map { open($0, O_WRONLY | O_CREAT, 0o644) } ?? -1
    }

    func begin(_ plan: Plan) { note("run \(plan.seed)", plan.history) }
    func found(_ failure: Search.Failure) {
        note("failed \(failure.plan.seed)", "\(failure.flaw)\n\(failure.plan.history)")
    }
    func end() { note("clean \(seeds.upperBound - 1)", "") }

    private func note(_ head: String, _ history: String) {
        if notes < 0 { return }
        let text = "\(head)\n\(history)\n"
        _ = text.withCString { pwrite(notes, $0, strlen($0), 0) }
        ftruncate(notes, text.utf8.count)
    }
}
