import COpenSSL

/// What TLS sessions have in common: versions, authorities and whether they verify, or a server's
/// certificate. One a thread: sharing it would make every session count references across threads.
///
/// TLS 1.2 and newer, HTTP/1.1 by ALPN, no renegotiation, no session is resumed.
public struct TLSContext: ~Copyable {
    /// Whom to believe that a server is who it says.
    public enum Trust: Sendable {
        case systemAuthorities
        /// The certificates of a PEM file, and no others.
        case authorities(path: String)
        /// Anybody: encrypted, to whomever.
        case everybody
    }

    let raw: OpaquePointer
    let verifies: Bool

    init(raw: OpaquePointer, verifies: Bool) {
        self.raw = raw
        self.verifies = verifies
    }

    /// - Throws: `TLSFailure` of the step `settings` that names the file.
    public static func client(trust: Trust) throws(TLSFailure) -> TLSContext {
        ERR_clear_error()
        guard let raw = SSL_CTX_new(TLS_client_method()) else { throw TLSFailure(.settings) }
        var verifies = true
        if case .everybody = trust { verifies = false }
        let context = TLSContext(raw: raw, verifies: verifies)
        try context.setUp()
        try context.preferAES128()
        try context.load(trust)
        return context
    }

    private func setUp() throws(TLSFailure) {
        // Without renegotiation a write never waits for a read. Sessions keep their buffers while they
        // wait: to give them back each time (SSL_MODE_RELEASE_BUFFERS) took 1 to 2 us a request.
        _ = SSL_CTX_set_options(raw, cossl_no_renegotiation())
        SSL_CTX_set_verify(raw, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        // This one answers 0 when it worked.
        guard cossl_ctx_set_min_version(raw, TLS1_2_VERSION) == 1,
            SSL_CTX_set_alpn_protos(raw, "\u{8}http/1.1", 9) == 0
        else { throw TLSFailure(.settings) }
    }

    /// The first choice of most servers too. OpenSSL would offer AES-256 first, which takes a fifth
    /// more of the CPU; what else it offers stays.
    private func preferAES128() throws(TLSFailure) {
        let newer =
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
        guard SSL_CTX_set_ciphersuites(raw, newer) == 1,
            SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM+AES128:DEFAULT") == 1
        else { throw TLSFailure(.settings) }
    }

    private func load(_ trust: Trust) throws(TLSFailure) {
        switch trust {
        case .everybody: break
        case .systemAuthorities:
            if SSL_CTX_set_default_verify_paths(raw) != 1 { throw TLSFailure(.settings) }
        case .authorities(let path):
            if SSL_CTX_load_verify_file(raw, path) == 1 {
                // Whatever stands in the file is believed, also what another authority signed.
                X509_VERIFY_PARAM_set_flags(
                    SSL_CTX_get0_param(raw), UInt(X509_V_FLAG_PARTIAL_CHAIN))
                return
            }
            let reason = TLSFailure.reason(of: ERR_peek_error())
            throw TLSFailure(.settings, "authorities in \(path): \(reason)")
        }
    }

    deinit { SSL_CTX_free(raw) }
}
