import Core
import Glibc
import TOMLKit

/// A scenario and the text it was read from.
public struct ScenarioFile: Equatable, Sendable {
    public let scenario: Scenario
    public let text: String

    /// Reads what the command line names: a word is a built-in scenario, anything with a "/" or
    /// ".toml" a file.
    public static func named(_ word: String) throws(ConfigProblems) -> ScenarioFile {
        if word.contains("/") || word.hasSuffix(".toml") { return try load(path: word) }
        if let text = builtInScenarioTexts.first(where: { $0.name == word })?.text {
            return try ScenarioFile(text: text, file: word + ".toml", name: word)
        }
        let names = builtInNames.joined(separator: ", ")
        let near = NearestWord.to(word, among: builtInNames)
        throw ConfigProblems([
            ConfigProblem(
                .file("--scenario \(word.prefix(80))"), "no built-in scenario has that name",
                hint: near.map { "did you mean \($0)? There are \(names)" }
                    ?? "there are \(names); a file is named with its folder or its .toml")
        ])
    }

    /// The scenarios that need no file.
    public static var builtInNames: [String] { builtInScenarioTexts.map(\.name) }

    /// Reads a file. Throws everything that is wrong with it at once.
    public static func load(path: String) throws(ConfigProblems) -> ScenarioFile {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw ConfigProblems([
                ConfigProblem(
                    .file(path), "is a folder, not a scenario", hint: "name a file in it")
            ])
        }
        guard let text = try ConfigText.read(path: path, shownAs: path) else {
            throw ConfigProblems([
                ConfigProblem(
                    .file(path), "no such file",
                    hint: "check the path, or use a built-in scenario: "
                        + builtInNames.joined(separator: ", "))
            ])
        }
        let file = path.split(separator: "/").last ?? ""
        let name = file.hasSuffix(".toml") ? file.dropLast(5) : file
        return try ScenarioFile(text, name: String(name.prefix(64)))
    }

    /// Reads a text; `file` is its name in messages, `name` the scenario's where the text has none.
    public init(
        text: String, file: String, name: String = "scenario"
    ) throws(ConfigProblems) {
        try self.init(ConfigText(file: file, bytes: Array(text.utf8)), name: name)
    }

    private init(_ text: ConfigText, name: String) throws(ConfigProblems) {
        var reader = ScenarioReader(text: text, scenario: Scenario(name: name))
        scenario = try reader.read()
        self.text = text.text
    }
}

/// Walks a parsed file once and collects what is wrong with it.
private struct ScenarioReader {
    let text: ConfigText
    let locator: KeyLocator
    var scenario: Scenario
    var problems: [ConfigProblem] = []

    init(text: ConfigText, scenario: Scenario) {
        self.text = text
        self.scenario = scenario
        locator = KeyLocator(text.bytes)
    }

    mutating func read() throws(ConfigProblems) -> Scenario {
        let table = try parseTOML(text)
        for offset in locator.nulEscapes {
            report(text.place(at: offset), "a NUL character in a text", "remove it")
        }
        for key in table.keys {
            if let value = table[key] {
                read(key, value)
            } else {
                report(.file(text.file), "a NUL character in a key", "remove it")
            }
        }
        // What relates values to each other would mislead while one of them is not read.
        if problems.isEmpty {
            for flaw in scenario.flaws() {
                report(place(of: flaw), flaw.message, flaw.hint)
            }
        }
        guard problems.isEmpty else {
            throw ConfigProblems(problems.sorted { $0.rank < $1.rank })
        }
        return scenario
    }

    private mutating func read(_ key: String, _ value: any TOMLValueConvertible) {
        if let known = ScenarioKey.all.first(where: { $0.key == key }) {
            take(settingValue(value), for: known, at: [key])
        } else if ScenarioKey.sections.contains(key) {
            readSection(key, value)
        } else {
            report(keyPlace([key]), "unknown key \(key)", unknownKeyHint(key, section: nil))
        }
    }

    private mutating func readSection(_ section: String, _ value: any TOMLValueConvertible) {
        guard let table = value.table else {
            report(
                keyPlace([section]), "\(section) is a section, not a value",
                "write [\(section)] on a line, and its keys below it")
            return
        }
        if let weights = ScenarioKey.all.first(where: { $0.section == section && $0.isWeights }) {
            readWeights(table, for: weights)
            return
        }
        for key in table.keys {
            guard let value = table[key] else {
                report(.file(text.file), "a NUL character in a key", "remove it")
                continue
            }
            if let known = ScenarioKey.all.first(where: { $0.key == "\(section).\(key)" }) {
                take(settingValue(value), for: known, at: [section, key])
            } else {
                report(
                    keyPlace([section, key]), "unknown key \(section).\(key)",
                    unknownKeyHint(key, section: section))
            }
        }
    }

    private mutating func readWeights(_ table: TOMLTable, for key: ScenarioKey) {
        var weights: [(name: String, weight: SettingValue)] = []
        let section = key.section ?? ""
        // The library sorts keys; the file's order is the one that a reader expects.
        let names = table.keys.sorted { offset([section, $0]) < offset([section, $1]) }
        for name in names {
            guard let value = table[name] else {
                report(.file(text.file), "a NUL character in a key", "remove it")
                continue
            }
            let weight = settingValue(value)
            var trial = scenario
            do throws(SettingRefusal) {
                try key.set([(name, weight)], in: &trial)
                weights.append((name, weight))
            } catch {
                let isTable = value.table != nil
                report(
                    valuePlace([section, name]), "\(section).\(name) \(error.message)",
                    isTable
                        ? "put a name that holds a point in quotes: \"news.example\" = 1"
                        : error.hint)
            }
        }
        try? key.set(weights, in: &scenario)
    }

    private mutating func take(_ value: SettingValue, for key: ScenarioKey, at path: [String]) {
        do throws(SettingRefusal) {
            try key.set(value, in: &scenario)
        } catch {
            let element = error.element.flatMap { locator.places[path + ["[\($0)]"]]?.key }
            report(
                element.map { text.place(at: $0) } ?? valuePlace(path),
                "\(key.key) \(error.message)", error.hint)
        }
    }

    // MARK: Words and places

    private func unknownKeyHint(_ key: String, section: String?) -> String {
        let keys = ScenarioKey.all.filter { !$0.isWeights }
        let here = keys.filter { $0.section == section }.map(\.name)
        let others = section == nil ? ScenarioKey.sections : []
        let elsewhere = keys.filter { $0.name == key && $0.section != section }
        if let home = elsewhere.first, elsewhere.count == 1 {
            return home.section.map { "did you mean \(home.key), in section [\($0)]?" }
                ?? "did you mean \(home.key), above the first [section]?"
        }
        if let near = NearestWord.to(key, among: here + others) { return "did you mean \(near)?" }
        return section.map { "[\($0)] has " + here.joined(separator: ", ") }
            ?? "the keys here are " + (here + others).joined(separator: ", ")
    }

    private mutating func report(
        _ place: ConfigProblem.Place, _ message: String, _ hint: String
    ) {
        problems.append(ConfigProblem(place, message, hint: hint))
    }

    private func keyPlace(_ path: [String]) -> ConfigProblem.Place {
        locator.places[path].map { text.place(at: $0.key) } ?? .file(text.file)
    }

    private func valuePlace(_ path: [String]) -> ConfigProblem.Place {
        guard let place = locator.places[path] else { return .file(text.file) }
        return text.place(at: place.value ?? place.key)
    }

    private func offset(_ path: [String]) -> Int { locator.places[path]?.key ?? .max }

    /// A flaw's key, else its section, else what it says of a built-in value that the file leaves
    /// alone but contradicts.
    private func place(of flaw: Scenario.Flaw) -> ConfigProblem.Place {
        let point = flaw.key.firstIndex(of: ".")
        let section = point.map { String(flaw.key[..<$0]) } ?? flaw.key
        let path =
            point.map { [section, String(flaw.key[flaw.key.index(after: $0)...])] }
            ?? [section]
        if let element = flaw.element,
            let place = locator.places[path + ["[\(element)]"]]?.key
        {
            return text.place(at: place)
        }
        return locator.places[path] != nil ? valuePlace(path) : keyPlace([section])
    }
}
