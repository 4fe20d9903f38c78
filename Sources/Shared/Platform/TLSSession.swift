import COpenSSL

/// One TLS connection, its client's end or its server's, as bytes in and bytes out: it knows no
/// socket.
///
/// What came from the network goes in by `receive`, what is to go there comes out by `take`. After
/// each call but `receive` there may be something to take, also after one that failed: the alert that
/// tells the peer why. Bounded by who calls: it holds what was received and not yet read, and what
/// was written and not yet taken.
///
///     connect or accept → handshake, take, send; receive, handshake … until it says true
///     then      write, take, send;      receive, read until it says nothing
public struct TLSSession: ~Copyable {
    /// More than this at once is for the caller to cut: encrypting 64 KiB takes some 50 µs.
    public static let sliceBytesMax = 64 << 10

    private let session: OpaquePointer
    /// From the network and to it; they belong to `session`.
    private let arrived: OpaquePointer
    private let outgoing: TLSOutgoing.Pointer

    private init(session: OpaquePointer) {
        guard let arrived = BIO_new(BIO_s_mem()) else {
            // Without memory nothing else here would go on either.
            fatalError("BIO_new: out of memory")
        }
        let (leaving, outgoing) = TLSOutgoing.makeBIO()
        SSL_set_bio(session, arrived, leaving)
        self.session = session
        self.arrived = arrived
        self.outgoing = outgoing
    }

    /// A session that has not begun. `serverName` is the name or the address that was asked for: it
    /// is what the certificate must be for, and a name is also told to the server (SNI).
    public static func client(
        _ context: borrowing TLSContext, serverName: String
    ) throws(TLSFailure) -> TLSSession {
        ERR_clear_error()
        guard let session = SSL_new(context.raw) else { throw TLSFailure(.settings) }
        SSL_set_connect_state(session)
        let made = TLSSession(session: session)
        try made.name(serverName, verifies: context.verifies)
        return made
    }

    /// The server's end of a session that has not begun.
    public static func server(_ context: borrowing TLSContext) throws(TLSFailure) -> TLSSession {
        ERR_clear_error()
        guard let session = SSL_new(context.raw) else { throw TLSFailure(.settings) }
        SSL_set_accept_state(session)
        return TLSSession(session: session)
    }

    private func name(_ serverName: String, verifies: Bool) throws(TLSFailure) {
        // An address may carry a zone ("fe80::1%eth0"), of which certificates know nothing.
        let bare = String(serverName.prefix { $0 != "%" })
        if SocketAddress(ip: bare, port: 0) != nil {
            if verifies
                && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), bare) != 1
            {
                throw TLSFailure(.settings, "\(serverName) cannot be looked for in a certificate")
            }
            return
        }
        // The root's dot at the end belongs to DNS, not to names in certificates.
        let name = serverName.hasSuffix(".") ? String(serverName.dropLast()) : serverName
        SSL_set_hostflags(session, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        if cossl_set_server_name(session, name) != 1
            || (verifies && SSL_set1_host(session, name) != 1)
        {
            throw TLSFailure(.settings, "'\(serverName)' is no host name that TLS can carry")
        }
    }

    deinit { SSL_free(session) }

    // MARK: The network's side

    /// Takes encrypted bytes, at most `sliceBytesMax`. All of them, always.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= Self.sliceBytesMax, "cut it")
        if bytes.isEmpty { return }
        let taken = BIO_write(arrived, bytes.baseAddress, Int32(bytes.count))
        precondition(taken == Int32(bytes.count), "BIO_write: out of memory")
    }

    /// How many encrypted bytes wait to be taken.
    public var bytesToTake: Int { outgoing.pointee.byteCount }

    /// Hands out encrypted bytes for the network, as many as there are and fit; 0 when there are none.
    public mutating func take(into room: UnsafeMutableRawBufferPointer) -> Int {
        outgoing.pointee.take(into: room)
    }

    /// All encrypted bytes for the network, where they lie. Valid until the session has more to say.
    public mutating func drain() -> UnsafeRawBufferPointer { outgoing.pointee.drain() }

    /// The same. They stay there until `release`; what the
    /// session has to say meanwhile lands behind them.
    public mutating func lend() -> UnsafeRawBufferPointer { outgoing.pointee.lend() }

    /// What was lent is sent, or copied.
    public mutating func release() { outgoing.pointee.release() }

    // MARK: The program's side

    /// Goes on with the handshake; true once it is done. False: it needs more from the network.
    ///
    /// - Throws: `TLSFailure` of the step `certificate` or `handshake`; the session is of no more use.
    public mutating func handshake() throws(TLSFailure) -> Bool {
        ERR_clear_error()
        let status = SSL_do_handshake(session)
        if status == 1 { return true }
        if SSL_get_error(session, status) == SSL_ERROR_WANT_READ { return false }
        throw TLSFailure.ofHandshake(session)
    }

    /// What `read` found.
    public enum Reading: Equatable, Sendable {
        /// So many bytes are in the room; there may be more.
        case bytes(Int)
        /// Nothing until more has come from the network.
        case nothing
        /// The peer said that no more follows. A connection that ends without it was cut off.
        case closed
    }

    /// Decrypts into the room, at most `sliceBytesMax`.
    public mutating func read(
        into room: UnsafeMutableRawBufferPointer
    ) throws(TLSFailure) -> Reading {
        if room.isEmpty { return .nothing }
        ERR_clear_error()
        let count = Int32(min(room.count, Self.sliceBytesMax))
        let status = SSL_read(session, room.baseAddress, count)
        if status > 0 { return .bytes(Int(status)) }
        switch SSL_get_error(session, status) {
        case SSL_ERROR_WANT_READ: return .nothing
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw TLSFailure(.reading)
        }
    }

    /// Encrypts bytes, at most `sliceBytesMax`. All of them, once the handshake is done.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TLSFailure) {
        precondition(bytes.count <= Self.sliceBytesMax, "cut it")
        precondition(SSL_is_init_finished(session) == 1, "the handshake comes first")
        if bytes.isEmpty { return }
        ERR_clear_error()
        let status = SSL_write(session, bytes.baseAddress, Int32(bytes.count))
        if status == Int32(bytes.count) { return }
        throw TLSFailure(.writing)
    }

    /// Tells the peer that no more follows; reading goes on.
    public mutating func sayClose() {
        ERR_clear_error()
        _ = SSL_shutdown(session)
    }
}
