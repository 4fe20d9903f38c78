import ArgumentParser
import Core

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    static let text = "hydrant \(hydrantVersion)"

    func run() { print(Self.text) }
}
