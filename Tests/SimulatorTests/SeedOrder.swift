import Foundation

/// Which lives to live, and where to say how it goes: `ops/simulate` asks by environment.
///
///     FIRST_SEED   the first (1)
///     SEEDS        how many (2000)
///     SEED_NOTES   a file; its one line is "run S", "clean S" or, with the history behind,
///                  "failed S". A process that dies leaves the seed it was at.
struct SeedOrder {
    let seeds: Range<UInt64>
    private let notes: Int32

    init() {
        let words = ProcessInfo.processInfo.environment
        let first = words["FIRST_SEED"].flatMap { UInt64($0) } ?? 1
        seeds = first..<(first + (words["SEEDS"].flatMap { UInt64($0) } ?? 2000))
        notes = words["SEED_NOTES"].map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) } ?? -1
    }

    func begin(_ seed: UInt64) { note("run   \(seed)") }
    func found(_ text: String) { note("failed\n\(text)") }
    func end() { note("clean \(seeds.upperBound - 1)") }

    private func note(_ text: String) {
        if notes < 0 { return }
        let line = text + "\n"
        _ = line.withCString { pwrite(notes, $0, strlen($0), 0) }
    }
}
