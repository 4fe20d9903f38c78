import COpenSSL

extension TLSContext {
    /// For the sessions of a server: TLS 1.2 and newer, HTTP/1.1 by ALPN, no client certificates.
    /// Whoever connects does so seldom and stays, so that nothing is kept for resuming.
    ///
    /// - Parameters:
    ///   - certificate: path of a PEM file, with the chain to its authority behind it.
    ///   - key: path of the PEM file of its key.
    /// - Throws: `TLSFailure` of the step `settings` that names the file and what to do.
    public static func server(
        certificate: String, key: String
    ) throws(TLSFailure) -> TLSContext {
        ERR_clear_error()
        guard let raw = SSL_CTX_new(TLS_server_method()) else { throw TLSFailure(.settings) }
        let context = TLSContext(raw: raw, verifies: false)
        _ = SSL_CTX_set_options(raw, cossl_no_renegotiation())
        _ = SSL_CTX_set_num_tickets(raw, 0)
        cossl_ctx_no_session_cache(raw)
        SSL_CTX_set_alpn_select_cb(raw, chooseHTTP11, nil)
        // Else the library would ask for it on the terminal.
        SSL_CTX_set_default_passwd_cb(raw) { _, _, _, _ in 0 }
        guard cossl_ctx_set_min_version(raw, TLS1_2_VERSION) == 1 else {
            throw TLSFailure(.settings)
        }
        guard SSL_CTX_use_certificate_chain_file(raw, certificate) == 1 else {
            let reason = TLSFailure.reason(of: ERR_peek_error())
            throw TLSFailure(
                .settings,
                "certificate in \(certificate): \(reason); it must be a PEM file that "
                    + "this user may read")
        }
        guard SSL_CTX_use_PrivateKey_file(raw, key, SSL_FILETYPE_PEM) == 1 else {
            throw keyFailure(key)
        }
        guard SSL_CTX_check_private_key(raw) == 1 else {
            throw TLSFailure(
                .settings,
                "key in \(key): is not the key of \(certificate); name the file that was "
                    + "made with it")
        }
        return context
    }

    private static func keyFailure(_ path: String) -> TLSFailure {
        let error = ERR_peek_error()
        let words = TLSFailure.reason(of: error)
        if ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH {
            return TLSFailure(
                .settings,
                "key in \(path): is not the certificate's; name the file that was made "
                    + "with it")
        }
        let isLocked = words.contains("password") || words.contains("decrypt")
        return TLSFailure(
            .settings,
            isLocked
                ? "key in \(path): has a passphrase; write it without one: openssl pkey -in \(path)"
                : "key in \(path): \(words); it must be a PEM file that this user may read")
    }

    /// Whether the certificate of a server's context is valid at this time; nil when it is, else why
    /// not.
    public var untimelyCertificate: String? {
        guard let certificate = SSL_CTX_get0_certificate(raw) else { return nil }
        if X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 { return "has expired" }
        if X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 {
            return "is not valid yet"
        }
        return nil
    }
}

/// Of what a client offers, HTTP/1.1; with one that offers only others the handshake ends.
private func chooseHTTP11(
    _ session: OpaquePointer?, _ out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ outCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    let wanted: StaticString = "http/1.1"
    var at = 0
    while at < Int(offeredCount) {
        let count = Int(offered![at])
        let name = UnsafeBufferPointer(start: offered! + at + 1, count: count)
        if name.elementsEqual(
            UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount))
        {
            out!.pointee = offered! + at + 1
            outCount!.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        at += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
