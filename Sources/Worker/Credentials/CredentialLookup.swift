import Core
import Platform

extension CredentialSearch {
    /// The workers of a host ask within this time, one by one.
    static let workersSpreadMs: UInt64 = 500
}

extension CredentialSearch.Setup {
    /// As the settings, and the environment of this process, say.
    init(_ settings: Settings) {
        let environment = processEnvironment()
        self.init(
            inputs: CredentialInputs(
                environment: environment, region: settings.region, usesFIPS: settings.usesFIPS,
                usesDualStack: settings.usesDualStack, host: hostName()),
            route: { try ServiceRoute.to($0, settings, environment: environment) })
    }
}

/// One search for credentials, for a command.
public enum CredentialLookup {
    /// Looks where a worker with these settings would, in mode aws, and waits for the end of it: half
    /// a minute at the very most, plus what a `credential_process` takes. Throws every source that
    /// was asked.
    public static func run(_ settings: Settings) throws -> FoundCredentials {
        let loop = try Loop.make()
        // Nobody is told: the result is looked for after each turn.
        let search = CredentialSearch.allocate(
            .init(settings), in: loop, owner: UnsafeMutableRawPointer(bitPattern: 1)!,
            didFinish: { _ in })
        search.pointee.start()
        while search.pointee.result == nil { loop.runOnce() }
        let result = search.pointee.result!
        CredentialSearch.shutDown(search)
        switch result {
        case .found(let found): return found
        case .failed(let attempts): throw NoCredentials(attempts: attempts)
        }
    }
}

/// Why there are no credentials.
public struct NoCredentials: Error {
    public let attempts: [CredentialAttempt]
}
