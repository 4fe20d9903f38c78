import Core
import Glibc

/// The machine beside the window whose oldest batch it sends hit by hit.
extension PoisonMachine {
    /// The link's other end went away by itself: is something in the window to blame?
    mutating func workerDied(
        with window: borrowing FrameWindow, hadReadAll: Bool
    ) -> DeathAction {
        let oldest = window.sentFrames > 0 ? window.oldest : nil
        return workerDied(
            oldest: oldest.map { ($0.sequence, $0.hitCount) }, hadReadAll: hadReadAll)
    }

    /// Puts the lone hit whose turn it is together as a frame; its size, or nil when none is to be
    /// sent now. Say `didSend` once the link has taken responsibility for it.
    ///
    /// - Parameter frame: room for a whole frame.
    func writeLoneFrame(
        of window: borrowing FrameWindow, to frame: UnsafeMutableRawPointer
    ) -> Int? {
        guard let lone = toSend, let hit = window.hitOfOldest(lone.place) else { return nil }
        let count = FrameHeader.byteCount + hit.count
        FrameHeader(
            byteCount: UInt32(count), kind: lone.kind, hitCount: 1,
            origin: LoneHit.origin(of: window.origin), sequence: lone.sequence
        ).write(to: frame)
        memcpy(frame + FrameHeader.byteCount, hit.baseAddress!, hit.count)
        return count
    }

    /// Takes an ack of a batch or of a lone hit. As `FrameWindow.acknowledge`, whose numbering a
    /// lone hit's is not.
    @inline(__always)
    mutating func acknowledge(
        _ ack: FrameHeader, in window: inout FrameWindow
    ) -> FrameWindow.AckOutcome {
        ack.origin == LoneHit.origin(of: window.origin)
            ? acknowledgeLone(ack, in: &window) : window.acknowledge(ack)
    }

    private mutating func acknowledgeLone(
        _ ack: FrameHeader, in window: inout FrameWindow
    ) -> FrameWindow.AckOutcome {
        let outcome = acknowledge(sequence: ack.sequence, hitCount: Int(ack.hitCount))
        switch outcome {
        case .unexpected: return .unexpected
        case .repeated: return .repeated
        case .verdict(let place), .lastVerdict(let place):
            guard let oldest = window.oldest else { return .unexpected }
            if case .lastVerdict = outcome { window.oldestIsSettled() }
            return .claims(first: oldest.firstClaim &+ UInt64(place), count: 1)
        }
    }
}
