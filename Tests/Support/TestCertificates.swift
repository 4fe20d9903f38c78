import Foundation

/// An authority of a test's own and what it signs, as PEM files in a folder that goes with this object.
/// Made by the `openssl` command.
public final class TestCertificates {
    /// A certificate and its key, as paths.
    public struct Pair: Sendable {
        public let certificate: String
        public let key: String
    }

    public struct NotMade: Error, CustomStringConvertible {
        public let description: String
    }

    public let folder: URL
    public let authority: Pair

    public init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hydrant-certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authority = Self.pair("authority", in: folder)
        try openssl(
            ["req", "-x509", "-days", "30", "-subj", "/CN=Hydrant's tests"] + Self.newKey(authority)
                + ["-out", authority.certificate])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A server's certificate, signed by the authority.
    ///
    /// - Parameters:
    ///   - alternatives: whom it is for, as subjectAltName has it.
    ///   - days: how long it is valid from now; -1: it ended yesterday.
    public func server(
        _ name: String = "server",
        for alternatives: String = "DNS:localhost,IP:127.0.0.1,IP:::1", days: Int = 30
    ) throws -> Pair {
        let pair = Self.pair(name, in: folder)
        let request = folder.appendingPathComponent("\(name).csr").path
        let extensions = folder.appendingPathComponent("\(name).extensions").path
        try "subjectAltName=\(alternatives)\n"
            .write(toFile: extensions, atomically: true, encoding: .utf8)
        try openssl(["req", "-subj", "/CN=\(name)"] + Self.newKey(pair) + ["-out", request])
        try openssl([
            "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
            "-CAcreateserial", "-days", "\(days)", "-extfile", extensions,
            "-out", pair.certificate,
        ])
        return pair
    }

    /// A server's certificate that it signed itself.
    public func alone(_ name: String) throws -> Pair {
        let pair = Self.pair(name, in: folder)
        try openssl(
            [
                "req", "-x509", "-days", "30", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=DNS:localhost",
            ] + Self.newKey(pair) + ["-out", pair.certificate])
        return pair
    }

    private static func pair(_ name: String, in folder: URL) -> Pair {
        Pair(
            certificate: folder.appendingPathComponent("\(name).pem").path,
            key: folder.appendingPathComponent("\(name).key").path)
    }

    /// A curve, because its keys are made at once.
    private static func newKey(_ pair: Pair) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pair.key]
    }

    private func openssl(_ arguments: [String]) throws {
        let log = folder.appendingPathComponent("log").path
        let process = try SpawnedProcess("openssl", arguments, output: log, errors: log)
        guard process.waitUntilExit(withinSeconds: 30), process.exitStatus == 0 else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw NotMade(description: "openssl \(arguments.joined(separator: " ")): \(text)")
        }
    }
}
