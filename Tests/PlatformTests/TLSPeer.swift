import COpenSSL

@testable import Platform

/// The server's end of a TLS connection, in memory.
final class TLSPeer {
    private let context: OpaquePointer
    private let session: OpaquePointer
    private let arrived: OpaquePointer
    private let leaving: OpaquePointer

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// Speaks no older and no newer version than these.
    init(
        certificate: String, key: String,
        versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION
    ) throws {
        context = SSL_CTX_new(TLS_server_method())
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1,
            SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
        else {
            SSL_CTX_free(context)
            throw Broken(description: "cannot use \(certificate)")
        }
        _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(versions.lowerBound), nil)
        _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(versions.upperBound), nil)
        // TLS 1.0 and 1.1 sign with SHA-1, which only this level still allows.
        SSL_CTX_set_security_level(context, 0)
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, out, outCount, offered, offeredCount, _ in
                var chosen: UnsafeMutablePointer<UInt8>?
                var known = Array("\u{8}http/1.1".utf8)
                let status = SSL_select_next_proto(
                    &chosen, outCount, &known, UInt32(known.count), offered, offeredCount)
                if status != OPENSSL_NPN_NEGOTIATED { return SSL_TLSEXT_ERR_ALERT_FATAL }
                // From the client's list, which outlives this call; `known` does not.
                out!.pointee = UnsafePointer(offered! + 1)
                return SSL_TLSEXT_ERR_OK
            }, nil)
        session = SSL_new(context)
        arrived = BIO_new(BIO_s_mem())
        leaving = BIO_new(BIO_s_mem())
        SSL_set_bio(session, arrived, leaving)
        SSL_set_accept_state(session)
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    func receive(_ bytes: [UInt8]) {
        if !bytes.isEmpty { BIO_write(arrived, bytes, Int32(bytes.count)) }
    }

    func take() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 256 << 10)
        let count = BIO_read(leaving, &room, Int32(room.count))
        return Array(room.prefix(max(0, Int(count))))
    }

    /// True once it is done, false until then; an alert's words when the client refused.
    func handshake() throws -> Bool {
        ERR_clear_error()
        let status = SSL_do_handshake(session)
        if status == 1 { return true }
        if SSL_get_error(session, status) == SSL_ERROR_WANT_READ { return false }
        throw Broken(description: String(cString: ERR_reason_error_string(ERR_peek_last_error())))
    }

    /// All that can be read by now.
    func read() -> [UInt8] {
        var (all, room): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 32 << 10))
        while true {
            let count = SSL_read(session, &room, Int32(room.count))
            if count <= 0 { return all }
            all += room.prefix(Int(count))
        }
    }

    func write(_ bytes: [UInt8]) { SSL_write(session, bytes, Int32(bytes.count)) }
    func sayClose() { SSL_shutdown(session) }
    var sawClose: Bool { SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }
    func changeKeys() { SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED) }

    /// What the client asked for by SNI.
    var serverName: String? {
        SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
    }

    var protocolName: String {
        var (name, count): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        SSL_get0_alpn_selected(session, &name, &count)
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    var version: String { String(cString: SSL_get_version(session)) }
    var cipherName: String { String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(session))) }
}
