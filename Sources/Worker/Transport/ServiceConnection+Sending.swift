import Core
import Platform

/// A request on its way out: as much in each turn of the loop as keeps the turn short.
extension ServiceConnection {
    /// Bytes given to the kernel in one callback.
    private static let turnBytesMax = 256 << 10

    private var requestBytes: Int { head.count + body.count }
    var isSent: Bool { sentBytes == requestBytes }

    mutating func send() {
        phase = .calling
        response.reset()
        (sentBytes, queuedBytes, writeHasFailed) = (0, 0, false)
        timer.start(afterMs: limits.callTimeoutMs(bodyByteCount: body.count))
        if tls != nil {
            sendMoreEncrypted()
            return
        }
        // Head and beginning of the body in one packet; what the kernel does not take is queued.
        let start = UnsafeRawBufferPointer(
            rebasing: body.prefix(max(0, Self.turnBytesMax - head.count)))
        let written = stream.tryWrite(head, start)
        if written < 0 {
            didEnd(Int32(written))
            return
        }
        sentBytes = written
        sendMore()
    }

    mutating func didWrite(_ code: Int32) {
        isQueued = false
        guard phase == .calling else { return }
        if code < 0 {
            // The peer may have answered before it closed: reading tells, and it ends soon.
            writeHasFailed = true
            return
        }
        sentBytes += queuedBytes
        queuedBytes = 0
        if tls != nil { sendMoreEncrypted() } else { sendMore() }
    }

    /// The next piece of the request: of the head, if there is still some of it, else of the body.
    private func piece(bytesMax: Int) -> UnsafeRawBufferPointer {
        let rest =
            sentBytes < head.count ? head[sentBytes...] : body[(sentBytes - head.count)...]
        return UnsafeRawBufferPointer(rebasing: rest.prefix(bytesMax))
    }

    private mutating func sendMore() {
        if writeHasFailed || isSent { return }
        let piece = piece(bytesMax: Self.turnBytesMax)
        queuedBytes = piece.count
        queue(piece)
    }

    /// The first pieces of a turn are offered to the kernel, the last is queued: its end begins the
    /// next turn's.
    private mutating func sendMoreEncrypted() {
        if writeHasFailed { return }
        var turnBytes = 0
        while !isSent {
            var sealed = UnsafeRawBufferPointer(start: nil, count: 0)
            do throws(TLSFailure) {
                var taken = -1
                while !isSent, taken != 0 {
                    taken = try tls!.seal(piece(bytesMax: TLSWire.sealedBytesMax))
                    sentBytes += taken
                }
                sealed = tls!.takeSealed()
            } catch {
                writeHasFailed = true
                return
            }
            turnBytes += sealed.count
            let isLastOfTurn = turnBytes >= Self.turnBytesMax
            let written = isLastOfTurn ? 0 : stream.tryWrite(sealed.baseAddress!, sealed.count)
            if written < 0 {
                didEnd(Int32(written))
                return
            }
            if written < sealed.count {
                queue(UnsafeRawBufferPointer(rebasing: sealed[written...]))
                return
            }
        }
    }

    private mutating func queue(_ bytes: UnsafeRawBufferPointer) {
        do {
            try stream.write(bytes, using: writeRequest)
            isQueued = true
        } catch { writeHasFailed = true }
    }
}
