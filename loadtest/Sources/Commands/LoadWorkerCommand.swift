import ArgumentParser

/// What `hydrant load` starts, not people.
public struct LoadWorkerCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: LoadInheritance.command, shouldDisplay: false)

    @Argument var index: Int

    public init() {}

    public func run() throws { throw ExitCode(runLoadWorker(index: index)) }
}
