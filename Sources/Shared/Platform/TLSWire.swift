/// TLS between a connection and its socket: what is sealed leaves from where OpenSSL put it, and stays
/// there while the kernel takes it.
public struct TLSWire: ~Copyable {
    /// Records of 16 KiB that leave together. Three take some 30 µs.
    public static let sealedBytesMax = 48 << 10
    /// Plain bytes of a record, at most (RFC 8446, 5.1).
    public static let recordBytesMax = 16 << 10

    private var session: TLSSession
    /// Plain bytes sealed since the last `takeSealed`.
    private var sealedBytes = 0
    /// The peer said goodbye.
    public private(set) var hasEnded = false

    public init(_ context: UnsafePointer<TLSContext>, serverName: String) throws(TLSFailure) {
        session = try TLSSession.client(context.pointee, serverName: serverName)
    }

    /// The server's end.
    public init(answering context: borrowing TLSContext) throws(TLSFailure) {
        session = try TLSSession.server(context)
    }

    // MARK: Handshake

    /// True once it is done. What it has to say, an alert included, is sent.
    public mutating func shakeHands(over stream: Stream) throws(TLSFailure) -> Bool {
        do throws(TLSFailure) {
            let isDone = try session.handshake()
            flush(over: stream)
            return isDone
        } catch {
            flush(over: stream)
            throw error
        }
    }

    /// Sends what TLS itself has to say, if anything: little, so the kernel takes it, or the peer is not reading
    /// and the call's time limit ends this.
    public mutating func flush(over stream: Stream) {
        guard session.bytesToTake > 0 else { return }
        let bytes = session.drain()
        let written = stream.tryWrite(bytes.baseAddress!, bytes.count)
        if written >= 0, written < bytes.count {
            try? stream.writeCopying(bytes.baseAddress! + written, bytes.count - written)
        }
    }

    public mutating func sayClose(over stream: Stream) {
        session.sayClose()
        flush(over: stream)
    }

    // MARK: Out

    /// Seals as many of the bytes as there is room for; 0 when it is full.
    public mutating func seal(_ bytes: UnsafeRawBufferPointer) throws(TLSFailure) -> Int {
        let count = min(bytes.count, Self.sealedBytesMax - sealedBytes)
        if sealedBytes == 0 { session.release() }
        try session.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        sealedBytes += count
        return count
    }

    /// What was sealed, for the network. Stays where it is until the next `seal`.
    public mutating func takeSealed() -> UnsafeRawBufferPointer {
        sealedBytes = 0
        return session.lend()
    }

    // MARK: In

    public mutating func receive(_ bytes: UnsafeRawBufferPointer) { session.receive(bytes) }

    public mutating func read(
        into place: UnsafeMutableRawBufferPointer, over stream: Stream
    ) throws(TLSFailure) -> TLSSession.Reading {
        let found = try session.read(into: place)
        if case .closed = found { hasEnded = true }
        return found
    }
}
