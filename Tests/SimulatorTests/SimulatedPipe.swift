import TestSupport

/// One direction of a link: bytes in order, cut anywhere, late by some milliseconds. What a dead
/// writer had written is still read; then comes the end.
final class SimulatedPipe {
    private let agenda: Agenda
    private var dice: SeededDice
    private var bytes: [UInt8] = []
    private var isScheduled = false
    private var hasEnded = false
    private var hasToldEnd = false
    private var isReaderGone = false
    /// Its reader went away, and had read all that was written. A real socket tells by how it ends.
    private(set) var wasReadWhole = true
    /// Not read now: its reader is not there yet, or is busy.
    private(set) var isPaused = true
    var didRead: ([UInt8]) -> Void = { _ in }
    var didEnd: () -> Void = {}

    init(_ agenda: Agenda, seed: UInt64) {
        self.agenda = agenda
        dice = SeededDice(seed: seed)
    }

    func write(_ more: UnsafeRawBufferPointer) {
        if isReaderGone { wasReadWhole = false }
        if isReaderGone || hasEnded { return }
        bytes += more
        schedule()
    }

    /// The writer closed it, or died.
    func end() {
        if hasEnded { return }
        hasEnded = true
        schedule()
    }

    /// The reader closed it, or died.
    func abandon() {
        if !isReaderGone { wasReadWhole = bytes.isEmpty }
        isReaderGone = true
        bytes = []
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        schedule()
    }

    private func schedule() {
        if isScheduled || isReaderGone || isPaused { return }
        isScheduled = true
        agenda.after(dice.roll(3)) { [self] in
            isScheduled = false
            deliver()
        }
    }

    private func deliver() {
        if isReaderGone || isPaused || hasToldEnd { return }
        if bytes.isEmpty {
            if hasEnded {
                hasToldEnd = true
                didEnd()
            }
            return
        }
        let count = dice.chance(70) ? bytes.count : 1 + Int(dice.roll(UInt64(bytes.count)))
        let part = Array(bytes[..<count])
        bytes.removeFirst(count)
        didRead(part)
        if !bytes.isEmpty || hasEnded { schedule() }
    }
}
