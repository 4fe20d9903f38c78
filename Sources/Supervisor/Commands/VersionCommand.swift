import ArgumentParser

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    /// Of the program, of the two layouts that outlive a process, and of the compiler's language.
    static let text = "hydrant 0.1.0"

    func run() { print(Self.text) }
}
