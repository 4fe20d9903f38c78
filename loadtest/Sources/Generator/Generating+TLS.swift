import Platform

/// Connections under TLS: what the session wants from the network and for it.
extension Generating {
    /// Room for one slice of plain or of encrypted bytes.
    static let tlsRoomBytes = TLSSession.sliceBytesMax

    func startHandshake(_ connection: UnsafeMutablePointer<LoadConnection>) {
        let session = UnsafeMutablePointer<TLSSession>.allocate(capacity: 1)
        do throws(TLSFailure) {
            session.initialize(
                to: try state.pointee.newSession())
        } catch {
            session.deallocate()
            return failHandshake(connection, errno: 0)
        }
        connection.pointee.tls = session
        connection.pointee.state = .handshaking
        advanceHandshake(connection)
    }

    private func advanceHandshake(_ connection: UnsafeMutablePointer<LoadConnection>) {
        var isDone = false
        do throws(TLSFailure) {
            isDone = try connection.pointee.tls!.pointee.handshake()
        } catch {
            // The alert that says why.
            sendEncrypted(connection)
            return failHandshake(connection, errno: 0)
        }
        sendEncrypted(connection)
        if isDone && connection.pointee.state == .handshaking { becomeOpen(connection) }
    }

    func failHandshake(_ connection: UnsafeMutablePointer<LoadConnection>, errno: Int32) {
        guard connection.pointee.state == .handshaking || connection.pointee.state == .connecting
        else { return }
        section.add(to: .tlsFailed)
        if errno > 0 { section.set(.lastErrno, to: UInt64(errno)) }
        close(connection, isFault: true)
    }

    /// Encrypted bytes came.
    func decrypt(
        _ connection: UnsafeMutablePointer<LoadConnection>, _ bytes: UnsafeRawBufferPointer
    ) {
        connection.pointee.tls!.pointee.receive(bytes)
        if connection.pointee.state == .handshaking { advanceHandshake(connection) }
        // What is done with one piece may close the connection.
        while connection.pointee.state == .open, let session = connection.pointee.tls {
            let room = UnsafeMutableRawBufferPointer(
                start: state.pointee.tlsRoom, count: Self.tlsRoomBytes)
            do throws(TLSFailure) {
                switch try session.pointee.read(into: room) {
                case .nothing: return sendEncrypted(connection)
                case .closed: return didEnd(connection, endOfFile)
                case .bytes(let count):
                    receive(connection, UnsafeRawBufferPointer(rebasing: room[..<count]))
                }
            } catch {
                return lose(connection, counting: .connectionBroken, errno: 0)
            }
        }
    }

    /// Sends what is in the scratch, encrypted.
    func encrypt(_ connection: UnsafeMutablePointer<LoadConnection>, byteCount: Int) {
        var at = 0
        while at < byteCount, let session = connection.pointee.tls {
            let count = min(byteCount - at, TLSSession.sliceBytesMax)
            do throws(TLSFailure) {
                try session.pointee.write(
                    UnsafeRawBufferPointer(start: state.pointee.scratch + at, count: count))
            } catch {
                return lose(connection, counting: .connectionBroken, errno: 0)
            }
            sendEncrypted(connection)
            at += count
        }
    }

    private func sendEncrypted(_ connection: UnsafeMutablePointer<LoadConnection>) {
        // A piece that cannot be sent ends the connection, and its session with it.
        while let session = connection.pointee.tls {
            let count = session.pointee.take(
                into: UnsafeMutableRawBufferPointer(
                    start: state.pointee.tlsRoom, count: Self.tlsRoomBytes))
            if count == 0 { return }
            push(
                connection, state.pointee.tlsRoom.assumingMemoryBound(to: UInt8.self), count)
        }
    }

    /// The session ends with its connection; `says`: the server is told.
    func endTLS(_ connection: UnsafeMutablePointer<LoadConnection>, says: Bool) {
        guard let session = connection.pointee.tls else { return }
        if says && !connection.pointee.isBlocked {
            session.pointee.sayClose()
            let room = UnsafeMutableRawBufferPointer(
                start: state.pointee.tlsRoom, count: Self.tlsRoomBytes)
            let count = session.pointee.take(into: room)
            _ = Stream(at: Self.stream(of: connection)).tryWrite(room.baseAddress!, count)
        }
        connection.pointee.tls = nil
        session.deinitialize(count: 1)
        session.deallocate()
    }
}
