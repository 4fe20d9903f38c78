import COpenSSL
import Glibc

/// TLS that did not work: what was being done, and why it failed in words.
public struct TLSFailure: Error, CustomStringConvertible {
    public enum Step: String, Sendable {
        /// The authorities could not be read, or the library refused its settings.
        case settings = "TLS settings"
        case handshake = "TLS handshake"
        /// The handshake got as far as the server's certificate, which did not pass.
        case certificate = "the server's certificate was refused"
        case reading = "TLS reading"
        case writing = "TLS writing"
    }

    public let step: Step
    /// OpenSSL's words: "certificate has expired", "wrong version number".
    public let reason: String

    public var description: String { "\(step.rawValue): \(reason)" }

    public init(_ step: Step, _ reason: String) {
        self.step = step
        self.reason = reason
    }

    /// From the last entry of this thread's error queue.
    init(_ step: Step) { self.init(step, Self.reason(of: ERR_peek_last_error())) }

    /// Of a handshake. A certificate has its own words, which the error queue does not hold.
    static func ofHandshake(_ session: OpaquePointer) -> TLSFailure {
        let error = ERR_peek_last_error()
        if ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED {
            let words = X509_verify_cert_error_string(SSL_get_verify_result(session))
            return TLSFailure(.certificate, String(cString: words!))
        }
        if ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER
            || ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST
        {
            return TLSFailure(.handshake, "\(reason(of: error)) (the server does not speak TLS?)")
        }
        return TLSFailure(.handshake, reason(of: error))
    }

    static func reason(of error: UInt) -> String {
        if error == 0 { return "the peer ended the connection" }
        // The reason of an operating system's error is its errno.
        if cossl_is_system_error(error) != 0 {
            return String(cString: strerror(ERR_GET_REASON(error)))
        }
        if let words = ERR_reason_error_string(error) { return String(cString: words) }
        return "OpenSSL error \(String(error, radix: 16))"
    }
}
