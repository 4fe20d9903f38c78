import Core

/// What to say about a key that is no setting.
enum UnknownKey {
    /// Keys of the design that this version does not have.
    private static let later = ["tls"]

    static func problem(_ path: [String], at place: ConfigProblem.Place) -> ConfigProblem {
        let key = path.joined(separator: ".")
        if later.contains(path[0]) {
            return ConfigProblem(
                place, "\(key) is not in this version",
                hint: "remove it; docs/settings.md lists what there is")
        }
        return ConfigProblem(place, "unknown key \(key)", hint: hint(for: path))
    }

    private static func hint(for path: [String]) -> String {
        let key = path.joined(separator: ".")
        if Setting.named(key) != nil, path.count == 1 {
            return "without the quotes: \(key), or the part after the point under its [section]"
        }
        if let last = path.last, path.count <= 2 {
            let elsewhere = Setting.all.filter { $0.name == last }
            if let home = elsewhere.first, elsewhere.count == 1 {
                return home.section.map { "did you mean \(home.key), in section [\($0)]?" }
                    ?? "did you mean \(home.key), above the first [section]?"
            }
        }
        let nearby = NearestWord.to(key, among: Setting.all.map(\.key) + Setting.sections)
        if let nearby { return "did you mean \(nearby)?" }
        if path.count > 1, Setting.sections.contains(path[0]) {
            return "[\(path[0])] has "
                + Setting.all.filter { $0.section == path[0] }.map(\.name).joined(separator: ", ")
        }
        if path.count == 2, let near = NearestWord.to(path[1], among: Setting.all.map(\.name)),
            let home = Setting.all.first(where: { $0.name == near })
        {
            return "did you mean \(home.key)?"
        }
        return "docs/settings.md lists every key; so does `hydrant config show`"
    }
}
