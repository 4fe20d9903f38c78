import Core
import Platform

/// What the socket brings, and its end.
extension ServiceConnection {
    mutating func didRead(_ bytes: UnsafeRawBufferPointer) {
        switch phase {
        case .tunnelling: tunnelRead(bytes)
        case .shakingHands:
            tls!.receive(bytes)
            shakeHands()
            // What the server says right behind its handshake is there already.
            readDecrypted()
        case .calling, .idle:
            if tls == nil {
                arrived(bytes)
            } else {
                tls!.receive(bytes)
                readDecrypted()
            }
        case .closed, .resolving, .connecting, .closing: break
        }
    }

    private mutating func readDecrypted() {
        withUnsafeTemporaryAllocation(byteCount: TLSWire.recordBytesMax, alignment: 16) { room in
            while phase == .calling || phase == .idle {
                do throws(TLSFailure) {
                    switch try tls!.read(into: room, over: stream) {
                    case .nothing: return
                    case .closed: didEnd(endOfFile)
                    case .bytes(let count):
                        arrived(UnsafeRawBufferPointer(rebasing: room[..<count]))
                    }
                } catch {
                    loseAnswer()
                    close()
                    fail("\(route.endpoint.authority): \(error)")
                }
            }
        }
    }

    private mutating func arrived(_ bytes: UnsafeRawBufferPointer) {
        switch phase {
        case .idle: close()  // Nobody asked.
        case .calling: judge(response.consume(bytes))
        case .closed, .resolving, .connecting, .tunnelling, .shakingHands, .closing: break
        }
    }

    private mutating func judge(_ progress: HTTPResponseReader.Progress) {
        switch progress {
        case .more: break
        case .complete(let reusable):
            if reusable, isSent, !isQueued { phase = .idle } else { close() }
            finish(nil)
        case .failed(let flaw):
            loseAnswer()
            close()
            let fault: FirehoseFault = flaw == .cut ? .retry : .notFirehose
            fail("\(route.endpoint.authority): \(flaw.rawValue)", fault)
        }
    }

    /// Reading, or a write, found the connection gone.
    mutating func didEnd(_ code: Int32) {
        let authority = route.endpoint.authority
        switch phase {
        case .idle: close()
        case .calling where isReused && !response.hasBegun:
            // It was closed while it was idle, most likely: that is no failure of the call.
            loseAnswer()
            isReused = false
            reconnects = true
            close()
        case .calling where code == endOfFile && response.hasBegun:
            // Without TLS's goodbye anybody on the way may have cut the answer short.
            judge(tls?.hasEnded == false ? .failed(.cut) : response.end())
        case .calling:
            loseAnswer()
            close()
            fail("\(authority): closed before an answer (\(describe(uvCode: code)))")
        case .tunnelling, .shakingHands:
            didConnect(
                failure: phase == .tunnelling
                    ? "the proxy closed the connection"
                    : "closed during the TLS handshake (\(describe(uvCode: code)))")
        case .closed, .resolving, .connecting, .closing: break
        }
    }
}
