import ArgumentParser
import Core
import Platform

/// What the supervisor starts, not people: their words are those of `Inheritance`.
struct RouterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "router", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run() throws { try runRole(.router, words) }
}

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run() throws { try runRole(.worker, words) }
}

struct LocalFirehoseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "local-firehose", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run() throws { try runRole(.localFirehose, words) }
}

private func runRole(_ role: Inheritance.Role, _ words: [String]) throws {
    let inheritance: Inheritance
    do throws(Inheritance.Flaw) {
        inheritance = try Inheritance(arguments: [role.rawValue] + words)
    } catch {
        writeLine(
            "error: \(role.rawValue) is started by `hydrant run`, not by hand (\(error))", to: 2)
        throw ExitCode.validationFailure
    }
    throw ExitCode(dispatch(inheritance))
}
