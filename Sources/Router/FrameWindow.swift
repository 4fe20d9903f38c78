import Core

/// Who waits for a hit's verdict: a connection's slot, the generation it had, and which of its
/// requests. A claim whose client was already answered 503 is `expired`.
struct Claim {
    var slot: UInt32
    var generation: UInt32
    var ordinal: UInt32
    var expired: Bool

    /// Whether a slot that now has this generation still is the client who waits. Another tenant of
    /// the slot must never get its answer.
    @inline(__always)
    func isStill(_ generation: UInt32) -> Bool { self.generation == generation }
}

/// A frame that its worker has not acknowledged.
struct WindowFrame {
    var offset: Int
    var byteCount: Int
    var hitCount: Int
    var sequence: UInt64
    var firstClaim: UInt64
    var sealedAtMs: UInt64
}

/// What one worker has been sent, or will be, and has not acknowledged: frames in one ring of
/// bytes, oldest first, each kept as it went out so that it can be sent again byte for byte.
///
///     bytes    |  free  | oldest … newest sealed | open |  free  |
///     frames   one `WindowFrame` each, `firstFrame ..< nextFrame`, of which those below
///              `nextToSend` have been handed to the link
///     claims   one a hit, `firstClaim ..< nextClaim`
///
/// Pure but for its memory: it decides nothing about links, clocks or clients.
struct FrameWindow: ~Copyable {
    private let bytes: UnsafeMutableRawPointer
    let capacity: Int
    private let frames: UnsafeMutablePointer<WindowFrame>
    private let claims: UnsafeMutablePointer<Claim>
    let origin: Origin

    private static let framesMax = 4096
    private static let claimsMax = 32768

    private var head = 0
    private var tail = 0
    private(set) var usedBytes = 0
    private(set) var firstFrame: UInt64 = 0
    private(set) var nextFrame: UInt64 = 0
    private(set) var nextToSend: UInt64 = 0
    private var firstClaim: UInt64 = 0
    private var nextClaim: UInt64 = 0
    private var nextSequence: UInt64 = 1
    private var openOffset = -1
    private var openBytes = 0
    private var openHits = 0
    private var openFirstClaim: UInt64 = 0

    init(origin: Origin, capacity: Int) {
        precondition(capacity >= 2 * Limits.frameBytesMax)
        self.origin = origin
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity, alignment: 64)
        frames = .allocate(capacity: Self.framesMax)
        claims = .allocate(capacity: Self.claimsMax)
    }

    deinit {
        bytes.deallocate()
        frames.deallocate()
        claims.deallocate()
    }

    var hasOpenFrame: Bool { openHits > 0 }
    var isEmpty: Bool { firstFrame == nextFrame && openHits == 0 }
    var outstandingHits: Int { Int(nextClaim &- firstClaim) }
    /// Frames sealed and not yet given to a link.
    var unsentFrames: Int { Int(nextFrame &- nextToSend) }
    /// Frames given to the link that now lives, and not acknowledged.
    var sentFrames: Int { Int(nextToSend &- firstFrame) }

    // MARK: Filling

    /// Room for a hit of `count` bytes in the open frame (one is opened, or sealed and opened, as
    /// needed), or nil when the window is full. The caller writes the hit, then calls `commitHit`.
    /// Either way a frame may have become ready to send.
    mutating func reserve(_ count: Int, nowMs: UInt64) -> UnsafeMutableRawPointer? {
        if nextClaim &- firstClaim >= UInt64(Self.claimsMax) { return nil }
        if openHits > 0
            && (openHits == Limits.frameHitsMax || openBytes + count > Limits.frameBytesMax)
        {
            seal(nowMs: nowMs)
        }
        if openHits == 0 && !openFrame() { return nil }
        return bytes + openOffset + openBytes
    }

    /// A frame opens only where a whole one fits, so that it never has to move.
    private mutating func openFrame() -> Bool {
        if nextFrame &- firstFrame >= UInt64(Self.framesMax) { return false }
        if usedBytes == 0 { (head, tail) = (0, 0) }
        let wrapped = usedBytes > 0 && tail <= head
        if wrapped {
            if head - tail < Limits.frameBytesMax { return false }
            openOffset = tail
        } else if capacity - tail >= Limits.frameBytesMax {
            openOffset = tail
        } else if head >= Limits.frameBytesMax {
            openOffset = 0
        } else {
            return false
        }
        openBytes = FrameHeader.byteCount
        openFirstClaim = nextClaim
        return true
    }

    mutating func commitHit(_ count: Int, claim: Claim) {
        claims[Int(nextClaim % UInt64(Self.claimsMax))] = claim
        nextClaim &+= 1
        openBytes += count
        openHits += 1
    }

    /// Closes the open frame, if there is one: it may now be sent.
    mutating func seal(nowMs: UInt64) {
        if openHits == 0 { return }
        FrameHeader(
            byteCount: UInt32(openBytes), kind: .hits, hitCount: UInt16(openHits), origin: origin,
            sequence: nextSequence
        ).write(to: bytes + openOffset)
        frames[Int(nextFrame % UInt64(Self.framesMax))] = WindowFrame(
            offset: openOffset, byteCount: openBytes, hitCount: openHits, sequence: nextSequence,
            firstClaim: openFirstClaim, sealedAtMs: nowMs)
        if firstFrame == nextFrame { head = openOffset }
        nextFrame &+= 1
        nextSequence &+= 1
        usedBytes += openBytes
        tail = openOffset + openBytes
        openHits = 0
    }

    // MARK: Sending

    /// The longest run of unsent frames that lie side by side; nil when all is sent.
    /// Say `didSend` once the link has taken responsibility for it.
    func unsent() -> (bytes: UnsafeRawBufferPointer, frames: Int)? {
        if nextToSend == nextFrame { return nil }
        let first = frames[Int(nextToSend % UInt64(Self.framesMax))]
        var end = first.offset + first.byteCount
        var index = nextToSend &+ 1
        while index != nextFrame {
            let next = frames[Int(index % UInt64(Self.framesMax))]
            if next.offset != end { break }
            end += next.byteCount
            index &+= 1
        }
        return (
            UnsafeRawBufferPointer(start: bytes + first.offset, count: end - first.offset),
            Int(index &- nextToSend)
        )
    }

    mutating func didSend(frames count: Int) {
        precondition(count <= unsentFrames)
        nextToSend &+= UInt64(count)
    }

    /// The link broke: everything unacknowledged is to be sent again. Returns how many frames.
    mutating func sendAgain() -> Int {
        let again = sentFrames
        nextToSend = firstFrame
        return again
    }

    // MARK: Acknowledging

    /// The sequence of the oldest frame that is not acknowledged: they are numbered without gaps.
    private var firstSequence: UInt64 { nextSequence &- (nextFrame &- firstFrame) }

    enum AckOutcome: Equatable {
        /// Claims `first ..< first + count` have their verdicts.
        case claims(first: UInt64, count: Int)
        /// An ack of a frame that was acknowledged before: nothing waits for it.
        case repeated
        /// No such frame is out, or the count differs: the link's other end is not to be trusted.
        case unexpected
    }

    /// Takes the oldest frame off, if it is the one acknowledged. Its claims can be read (`claim`)
    /// until the next hit is reserved.
    mutating func acknowledge(_ ack: FrameHeader) -> AckOutcome {
        if ack.origin != origin || ack.sequence == 0 { return .unexpected }
        if ack.sequence < firstSequence { return .repeated }
        if firstFrame == nextToSend || ack.sequence != firstSequence { return .unexpected }
        let frame = frames[Int(firstFrame % UInt64(Self.framesMax))]
        if Int(ack.hitCount) != frame.hitCount { return .unexpected }
        dropOldest(frame)
        return .claims(first: frame.firstClaim, count: frame.hitCount)
    }

    private mutating func dropOldest(_ frame: WindowFrame) {
        firstFrame &+= 1
        firstClaim = frame.firstClaim &+ UInt64(frame.hitCount)
        usedBytes -= frame.byteCount
        head =
            firstFrame == nextFrame
            ? tail : frames[Int(firstFrame % UInt64(Self.framesMax))].offset
    }

    func claim(_ number: UInt64) -> Claim { claims[Int(number % UInt64(Self.claimsMax))] }

    // MARK: The oldest frame, hit by hit

    /// The frame that has waited longest, sent or not.
    var oldest: WindowFrame? {
        firstFrame == nextFrame ? nil : frames[Int(firstFrame % UInt64(Self.framesMax))]
    }

    /// A hit of the oldest frame, as it lies there; nil when there is none at that place. Reads
    /// nothing of it but its length.
    func hitOfOldest(_ place: Int) -> UnsafeRawBufferPointer? {
        guard let oldest, place < oldest.hitCount else { return nil }
        let end = oldest.offset + oldest.byteCount
        var at = oldest.offset + FrameHeader.byteCount
        for index in 0...place {
            let count = Int(
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            precondition(count >= HitLayout.fixedBytes && at + count <= end, "not what was written")
            if index == place { return UnsafeRawBufferPointer(start: bytes + at, count: count) }
            at += count
        }
        return nil
    }

    /// Takes the oldest frame off, which was not sent as such: each of its hits was acknowledged
    /// by itself.
    mutating func oldestIsSettled() {
        guard let oldest else { return }
        precondition(nextToSend == firstFrame)
        dropOldest(oldest)
        nextToSend = firstFrame
    }

    // MARK: Waiting

    /// The oldest frame that is still awaited and was sealed at `before` or earlier, counted from
    /// the oldest: frames `0 ..< alreadyExpired` are passed over.
    func overdue(before: UInt64, alreadyExpired: UInt64) -> (first: UInt64, count: Int)? {
        let index = max(firstFrame, alreadyExpired)
        if index >= nextFrame { return nil }
        let frame = frames[Int(index % UInt64(Self.framesMax))]
        return frame.sealedAtMs <= before ? (frame.firstClaim, frame.hitCount) : nil
    }

    mutating func expire(_ number: UInt64) {
        claims[Int(number % UInt64(Self.claimsMax))].expired = true
    }
}
