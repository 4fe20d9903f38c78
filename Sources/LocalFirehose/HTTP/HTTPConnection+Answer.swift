import Core
import Platform

/// An answer on its way.
struct Outgoing {
    var bytes: [UInt8]
    var sent = 0
    var after: HTTPConnection.After
    var manner: AnswerManner
    /// What a drip sends at once.
    var dropBytes = 0

    var rest: Int { bytes.count - sent }
}

/// How an answer leaves: whole and at once, or as a fault has it.
extension HTTPConnection {
    /// Between two looks at the socket.
    private static let sliceBytesMax = 256 << 10
    private static let dripIntervalMs: UInt64 = 100

    func send(_ answer: HTTPAnswer, then after: After) {
        let now = Int64(realtimeMicroseconds() / 1_000_000)
        let closes = if case .nextRequest = after { false } else { true }
        let bytes =
            answer.manner.way == .never ? [] : answer.bytes(nowSeconds: now, closes: closes)
        outgoing = Outgoing(bytes: bytes, after: after, manner: answer.manner)
        if answer.manner.delayMs == 0 { return begin() }
        wait(milliseconds: answer.manner.delayMs)
    }

    func sendInterim(_ bytes: [UInt8]) {
        if emit(bytes[...]) == nil { close() }
    }

    /// The answer's time has come.
    private func begin() {
        switch outgoing!.manner.way {
        case .never: return fallSilent()
        case .reset:
            outgoing!.bytes.removeLast(outgoing!.bytes.count / 2)
        case .drip(let bytesPerSecond):
            let interval = max(Self.dripIntervalMs, 1000 / UInt64(bytesPerSecond))
            outgoing!.dropBytes = max(1, bytesPerSecond * Int(interval) / 1000)
            timerHandle.start(afterMs: interval, repeatMs: interval)
            deadlineMs = server.loop.nowMs + HTTPLimit.silenceMs
            stream.stopReading()
            state = .waiting
        case .whole, .headOnly, .closeAfter, .chunked, .garbage, .truncate: break
        }
        if outgoing!.dropBytes == 0 { pump() }
    }

    // MARK: Waiting

    private var timerHandle: Timer {
        if let timer { return timer }
        let made = Timer(
            in: server.loop, owner: Unmanaged.passUnretained(self).toOpaque(),
            fire: { HTTPConnection.at($0).timeHasCome() })
        timer = made
        return made
    }

    private func wait(milliseconds: UInt64) {
        stream.stopReading()
        state = .waiting
        deadlineMs = server.loop.nowMs + milliseconds + HTTPLimit.idleMs
        timerHandle.start(afterMs: milliseconds)
    }

    private func timeHasCome() {
        guard case .waiting = state, outgoing != nil else { return close() }
        outgoing!.dropBytes > 0 ? drip() : begin()
    }

    private func drip() {
        // What the client does not read is not followed by more.
        if writesQueued > 0 { return }
        let count = min(outgoing!.dropBytes, outgoing!.rest)
        let piece = outgoing!.bytes[outgoing!.sent..<outgoing!.sent + count]
        outgoing!.sent += count
        guard let isGone = emit(piece) else { return close() }
        if outgoing!.rest > 0 { return }
        timer?.stop()
        outgoing!.dropBytes = 0
        if isGone { didSendAll() } else { state = .writing(then: outgoing!.after) }
    }

    private func fallSilent() {
        outgoing = nil
        state = .silent
        deadlineMs = server.loop.nowMs + HTTPLimit.silenceMs
        startReadingAgain()
    }

    /// Whether it was reading or not, which libuv does not take alike.
    private func startReadingAgain() {
        stream.stopReading()
        do { try stream.startReading() } catch { close() }
    }

    // MARK: Sending

    /// Sends until all is gone or the kernel's buffer is full.
    private func pump() {
        while outgoing!.rest > 0 {
            let count = min(outgoing!.rest, Self.sliceBytesMax)
            let piece = outgoing!.bytes[outgoing!.sent..<outgoing!.sent + count]
            outgoing!.sent += count
            guard let isGone = emit(piece) else { return close() }
            if isGone { continue }
            stream.stopReading()
            state = .writing(then: outgoing!.after)
            return
        }
        didSendAll()
    }

    /// Gives bytes to the kernel, sealed where there is TLS. False: some wait in libuv, and `didWrite`
    /// follows; nil: it failed.
    private func emit(_ bytes: ArraySlice<UInt8>) -> Bool? {
        bytes.withUnsafeBytes { bytes in
            if wire == nil { return push(bytes) }
            var (sealed, isGone) = (0, true)
            while sealed < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sealed...])
                guard let count = try? wire!.seal(rest) else { return nil }
                sealed += count
                guard let pushed = push(spoilt(wire!.takeSealed())) else { return nil }
                isGone = pushed && isGone
            }
            return isGone
        }
    }

    /// As a fault of TLS has it.
    private func spoilt(_ sealed: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        switch outgoing?.manner.way {
        case .garbage:
            let last = UnsafeMutableRawPointer(mutating: sealed.baseAddress!) + sealed.count - 1
            last.storeBytes(of: last.load(as: UInt8.self) ^ 1, as: UInt8.self)
            return sealed
        case .truncate: return UnsafeRawBufferPointer(rebasing: sealed.dropLast(7))
        default: return sealed
        }
    }

    private func push(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        let written = writesQueued > 0 ? 0 : stream.tryWrite(bytes.baseAddress!, bytes.count)
        if written < 0 { return nil }
        if written == bytes.count { return true }
        do {
            try stream.writeCopying(bytes.baseAddress! + written, bytes.count - written)
        } catch {
            return nil
        }
        writesQueued += 1
        return false
    }

    func didWrite(_ status: Int32) {
        writesQueued = max(0, writesQueued - 1)
        guard case .writing = state, writesQueued == 0 else { return }
        if status < 0 { return close() }
        pump()
        if case .head = state { readOn() }
    }

    // MARK: After it

    private func didSendAll() {
        guard let answer = outgoing else { return }
        outgoing = nil
        let wasWaiting = if case .waiting = state { true } else { false }
        deadlineMs = server.loop.nowMs + HTTPLimit.idleMs
        switch answer.manner.way {
        case .headOnly: return fallSilent()
        case .reset: return close(resetting: true)
        case .truncate:
            wire = nil
            return close()
        case .closeAfter(let milliseconds):
            state = .head
            timerHandle.start(afterMs: max(1, milliseconds))
        default: finish(answer.after)
        }
        // Whoever was read before it waited is read on; else the reader goes on by itself.
        if wasWaiting, case .head = state { readOn() }
    }

    private func finish(_ after: After) {
        switch after {
        case .nextRequest: state = .head
        case .close: close()
        case .drain:
            // The client sees the end at once; closing with its bytes unread would reset it.
            if wire != nil { wire!.sayClose(over: stream) }
            stream.shutDownWriting()
            state = .draining
            deadlineMs = server.loop.nowMs + HTTPLimit.drainMs
            startReadingAgain()
        }
    }
}
