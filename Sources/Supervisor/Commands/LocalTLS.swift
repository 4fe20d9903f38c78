import Config
import Core
import Glibc
import Platform

/// Certificate and key of the local Firehose, looked at before anything starts.
enum LocalTLS {
    /// What would keep it from speaking TLS.
    static func problem(_ settings: Settings) -> ConfigProblem? {
        guard settings.deliveryMode == .local, let certificate = settings.localCertificateFile,
            let key = settings.localKeyFile
        else { return nil }
        do throws(TLSFailure) {
            _ = try TLSContext.server(certificate: certificate, key: key)
            return nil
        } catch {
            let isKey = error.reason.hasPrefix("key")
            return ConfigProblem(
                .file(isKey ? key : certificate),
                "the local Firehose cannot use it: \(error.reason)",
                hint: "mend the file, or name another with "
                    + "local.tls_\(isKey ? "key" : "certificate"); without both it speaks plain HTTP"
            )
        }
    }

    static func warnings(_ settings: Settings) -> [ConfigProblem] {
        guard settings.deliveryMode == .local, let certificate = settings.localCertificateFile,
            let key = settings.localKeyFile
        else { return [] }
        var found: [ConfigProblem] = []
        var status = stat()
        if stat(key, &status) == 0, status.st_mode & 0o077 != 0 {
            found.append(
                ConfigProblem(
                    .file(key), "others than its owner may use this key",
                    hint: "chmod 600 \(shellWord(key))"))
        }
        let context = try? TLSContext.server(certificate: certificate, key: key)
        if let flaw = context?.untimelyCertificate {
            found.append(
                ConfigProblem(
                    .file(certificate), "this certificate \(flaw): the workers will refuse it",
                    hint: "make another; until then rows stay in the spool"))
        }
        return found
    }
}
