import Core
import Platform

/// The key pair of the local Firehose, in the form of an AWS credentials file, so that any AWS tool
/// can use it. Made once, from the kernel's randomness, and never overwritten.
enum LocalCredentials {
    /// 20 characters as AWS's, with a beginning that no real key has; 40 of secret.
    static func random() -> Credentials {
        Credentials(
            accessKeyID: "HYLOCAL" + text(13, from: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            secretAccessKey: text(
                40, from: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    }

    /// Writes a fresh pair to `path` (0600) unless there is one.
    static func ensure(at path: String) throws(ClusterFailure) {
        if SmallFile.exists(path) { return }
        do {
            try SmallFile.write(Array(random().profileFile.utf8), to: path, mode: 0o600)
        } catch {
            throw ClusterFailure.cannotWrite(path, error)
        }
    }

    /// Alphabets are powers of two long, so masking a random byte favours no character.
    private static func text(_ count: Int, from alphabet: String) -> String {
        let letters = Array(alphabet)
        precondition(letters.count & (letters.count - 1) == 0)
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { fillRandom($0) }
        return String(bytes.map { letters[Int($0) & (letters.count - 1)] })
    }
}
