import ArgumentParser
import Core

/// A mistyped command. The argument parser calls it an unexpected argument and leaves it at that;
/// it gets the word that was probably meant instead.
struct UnknownCommand: Equatable, CustomStringConvertible {
    /// What stands before it, "hydrant schema".
    var path: String
    var word: String
    /// The commands there are, in their order.
    var known: [String]

    /// The first word, as far as words are commands, that is none.
    static func find(in arguments: [String]) -> UnknownCommand? {
        var command: any ParsableCommand.Type = Hydrant.self
        var path = "hydrant"
        for word in arguments {
            let subcommands = command.configuration.subcommands
            if subcommands.isEmpty || word.hasPrefix("-") || word == "help" { return nil }
            // Where there is a default any word may be its argument (`hydrant load URL`).
            if command.configuration.defaultSubcommand != nil { return nil }
            guard let next = subcommands.first(where: { $0.configuration.commandName == word })
            else {
                return UnknownCommand(
                    path: path, word: word,
                    known: subcommands.filter { $0.configuration.shouldDisplay }
                        .compactMap { $0.configuration.commandName })
            }
            command = next
            path += " " + word
        }
        return nil
    }

    var description: String {
        let near = NearestWord.to(word, among: known)
        let hint =
            near.map { "did you mean `\(path) \($0)`?" }
            ?? "the commands are " + known.joined(separator: ", ")
        return "error: \(path) has no command \"\(printable(word))\"\nhint: \(hint)"
    }
}
