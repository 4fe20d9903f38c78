import Core
import Glibc
import TOMLKit

/// The fault plan of the local Firehose as a TOML text: `[[fault]]` entries and `seed`.
public enum FaultFile {
    /// Reads a file. Throws everything that is wrong with it at once.
    public static func load(path: String) throws(ConfigProblems) -> FaultEntries {
        guard let text = try ConfigText.read(path: path, shownAs: path) else {
            throw ConfigProblems([
                ConfigProblem(
                    .file(path), "no such file",
                    hint: "check the path; it is relative to the config file")
            ])
        }
        return try read(text)
    }

    /// Reads a text; `file` is its name in messages.
    public static func read(
        _ bytes: [UInt8], file: String
    ) throws(ConfigProblems) -> FaultEntries {
        try read(ConfigText(file: file, bytes: bytes))
    }

    private static func read(_ text: ConfigText) throws(ConfigProblems) -> FaultEntries {
        let table = try parseTOML(text)
        var plan = FaultText(top: [], entries: [])
        for key in table.keys {
            guard let value = table[key] else { continue }
            if key != "fault" {
                plan.top.append((key, settingValue(value)))
                continue
            }
            guard let list = value.array, list.allSatisfy({ $0.table != nil }) else {
                throw ConfigProblems([
                    ConfigProblem(
                        .file(text.file), "fault is not a list of entries",
                        hint: "begin each entry with [[fault]] on a line")
                ])
            }
            plan.entries = list.map { fields($0.table!) }
        }
        let (entries, flaws) = FaultEntries.read(plan)
        guard flaws.isEmpty else {
            let places = Places(text)
            throw ConfigProblems(
                flaws.map { ConfigProblem(places.place(of: $0), $0.message, hint: $0.hint) }
                    .sorted { $0.rank < $1.rank })
        }
        return entries
    }

    private static func fields(_ table: TOMLTable) -> FaultText.Fields {
        table.keys.compactMap { key in table[key].map { (key, settingValue($0)) } }
    }

    /// Where entries and their keys stand: each entry is located by itself, since all have the same
    /// path.
    private struct Places {
        let text: ConfigText
        /// Offsets at which the text's parts begin: what precedes the entries, then one each.
        private var starts = [0]

        init(_ text: ConfigText) {
            self.text = text
            let header = Array("[[fault]]".utf8)
            var lineStart = 0
            while lineStart < text.bytes.count {
                let line = text.bytes[lineStart...].prefix { $0 != 10 }
                let words = line.filter { $0 != 32 && $0 != 9 }
                if words.starts(with: header) { starts.append(lineStart) }
                lineStart = line.endIndex + 1
            }
        }

        func place(of flaw: FaultEntries.Flaw) -> ConfigProblem.Place {
            let part = flaw.entry.map { $0 + 1 } ?? 0
            // Written in another form, such as fault = [{…}].
            guard part < starts.count else { return .file(text.file) }
            let end = part + 1 < starts.count ? starts[part + 1] : text.bytes.count
            let places = KeyLocator(Array(text.bytes[starts[part]..<end])).places
            let path = (flaw.entry == nil ? [] : ["fault"]) + (flaw.key.map { [$0] } ?? [])
            guard let place = places[path] else { return text.place(at: starts[part]) }
            return text.place(at: starts[part] + place.key)
        }
    }
}
