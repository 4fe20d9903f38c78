import Core
import Glibc
import TOMLKit

/// A schema and the text it was read from. The text is what the supervisor hands its children: the
/// same bytes give the same schema.
public struct SchemaFile: Equatable, Sendable {
    public static let bytesMax = 1 << 20

    public let schema: Schema
    public let text: String

    /// The embedded schema, used when no file is named.
    public static let standard: SchemaFile = {
        do {
            return try SchemaFile(text: defaultSchemaText, file: "default schema")
        } catch {
            preconditionFailure("the embedded schema: \(error)")
        }
    }()

    /// Reads a file. Throws everything that is wrong with it at once.
    public static func load(path: String) throws(SchemaProblems) -> SchemaFile {
        let bytes = try read(path)
        guard bytes.count <= bytesMax else {
            throw unreadable(
                path, "is longer than \(bytesMax) bytes: this is no schema", "name the right file")
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw unreadable(path, "is not UTF-8 text", "save it as UTF-8")
        }
        return try SchemaFile(text: text, file: path)
    }

    /// At most one byte more than a schema may have.
    private static func read(_ path: String) throws(SchemaProblems) -> [UInt8] {
        let hint = "check the path; `hydrant schema show` prints a schema to start from"
        guard let stream = fopen(path, "rbe") else {
            throw unreadable(path, "cannot be read: \(String(cString: strerror(errno)))", hint)
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        if ferror(stream) != 0 {
            throw unreadable(path, "cannot be read: \(String(cString: strerror(errno)))", hint)
        }
        return Array(bytes.prefix(count))
    }

    private static func unreadable(
        _ path: String, _ message: String, _ hint: String
    ) -> SchemaProblems {
        SchemaProblems([SchemaProblem(file: path, message: message, hint: hint)])
    }

    /// Reads a text; `file` is its name in messages.
    public init(text: String, file: String) throws(SchemaProblems) {
        var reader = SchemaReader(text: text, file: file)
        schema = try reader.read()
        self.text = text
    }
}

/// One thing wrong with a schema file: where, what, and how to mend it.
public struct SchemaProblem: Equatable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1; nil where the problem has no place in the text. Columns count characters.
    public var line: Int?
    public var column: Int?
    public var message: String
    public var hint: String

    public init(
        file: String, line: Int? = nil, column: Int? = nil, message: String, hint: String
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
    }

    /// "schema.toml:12:8: error: …" and the hint on a line of its own.
    public var description: String {
        let place = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
        return "\(file)\(place): error: \(message)\n  hint: \(hint)"
    }
}

/// Everything wrong with a schema file, in the order of its lines; never empty.
public struct SchemaProblems: Error, Equatable, Sendable, CustomStringConvertible {
    public var problems: [SchemaProblem]

    public init(_ problems: [SchemaProblem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

// MARK: - Reading

private struct SchemaReader {
    static let topKeys = ["table", "bad_table", "distkey", "sortkey", "column"]
    static let columnKeys = ["name", "type", "source", "required"]

    let text: String
    let file: String
    let places: SchemaPlaces
    var problems: [SchemaProblem] = []
    /// A column could not be read, so what is said of all columns together would mislead.
    var isIncomplete = false

    init(text: String, file: String) {
        self.text = text
        self.file = file
        places = SchemaPlaces(text)
    }

    mutating func read() throws(SchemaProblems) -> Schema {
        let table = try parse()
        for key in table.keys where !Self.topKeys.contains(key) {
            report(
                places.key(key, inColumn: nil), "unknown key \"\(key)\"",
                unknownKeyHint(key, among: Self.topKeys))
        }
        var schema = Schema(columns: [])
        schema.table = string(table["table"], "table") ?? schema.table
        schema.badTable = string(table["bad_table"], "bad_table") ?? schema.badTable
        schema.distributionKey = string(table["distkey"], "distkey")
        schema.sortKey = strings(table["sortkey"], "sortkey", inColumn: nil) ?? []
        let indices = readColumns(table["column"], into: &schema)
        for flaw in schema.flaws() {
            if isIncomplete, !flaw.place.isOfOneColumn { continue }
            report(place(of: flaw.place, indices), flaw.problem, flaw.remedy)
        }
        guard problems.isEmpty else {
            problems.sort { ($0.line ?? .max, $0.column ?? 0) < ($1.line ?? .max, $1.column ?? 0) }
            throw SchemaProblems(problems)
        }
        return schema
    }

    private func parse() throws(SchemaProblems) -> TOMLTable {
        do throws(TOMLFlaw) {
            return try checkedTOML(Array(text.utf8))
        } catch {
            throw SchemaProblems([
                SchemaProblem(
                    file: file, line: error.line, column: error.column,
                    message: "this is not TOML: \(error.description)",
                    hint: "a schema is lines of key = \"value\" under [[column]] headers")
            ])
        }
    }

    /// Returns, for each column read, its number in the file.
    private mutating func readColumns(
        _ value: (any TOMLValueConvertible)?, into schema: inout Schema
    ) -> [Int] {
        guard let value else {
            report(nil, "no columns", "add [[column]] entries; `hydrant schema show` has examples")
            isIncomplete = true
            return []
        }
        guard let array = value.array else {
            report(
                places.key("column", inColumn: nil), "column is not a list of columns",
                "write [[column]], with two brackets, above each column's keys")
            isIncomplete = true
            return []
        }
        var indices: [Int] = []
        for (index, element) in array.enumerated() {
            guard let table = element.table else {
                report(
                    places.key("column", inColumn: nil), "column \(index + 1) is no table",
                    "write [[column]] above each column's keys")
                isIncomplete = true
                continue
            }
            guard let column = readColumn(table, index) else {
                isIncomplete = true
                continue
            }
            schema.columns.append(column)
            indices.append(index)
        }
        return indices
    }

    private mutating func readColumn(_ table: TOMLTable, _ index: Int) -> Schema.Column? {
        for key in table.keys where !Self.columnKeys.contains(key) {
            report(
                places.key(key, inColumn: index), "unknown key \"\(key)\" of a column",
                unknownKeyHint(key, among: Self.columnKeys))
        }
        let name = string(table["name"], "name", inColumn: index)
        if table["name"] == nil {
            report(places.header(index), "a column without a name", "add name = \"…\"")
        }
        let type = columnType(table["type"], index)
        let sources = columnSources(table["source"], index)
        var required = false
        if let value = table["required"] {
            if let flag = value.bool {
                required = flag
            } else {
                report(
                    places.value("required", inColumn: index), "required is neither true nor false",
                    "write required = true, without quotes")
            }
        }
        guard let name, let type, let sources else { return nil }
        return Schema.Column(
            name: name, type: type, sources: sources.isEmpty ? nil : sources, required: required)
    }

    private mutating func columnType(
        _ value: (any TOMLValueConvertible)?, _ index: Int
    ) -> Schema.ColumnType? {
        guard let value else {
            report(
                places.header(index), "a column without a type",
                "add type = \"…\": one of " + list(Schema.ColumnType.spellings))
            return nil
        }
        guard let text = string(value, "type", inColumn: index) else { return nil }
        guard let type = Schema.ColumnType(text) else {
            report(
                places.value("type", inColumn: index), "unknown type \"\(text)\"", typeHint(text))
            return nil
        }
        return type
    }

    /// Empty when the file names none: the parameter of the column's name. Nil after a problem.
    private mutating func columnSources(
        _ value: (any TOMLValueConvertible)?, _ index: Int
    ) -> [Schema.Source]? {
        guard let value else { return [] }
        guard let texts = strings(value, "source", inColumn: index) else { return nil }
        if texts.isEmpty {
            report(
                places.value("source", inColumn: index), "an empty list of sources",
                "leave source out to read the parameter of the column's name")
            return nil
        }
        var sources: [Schema.Source] = []
        for text in texts {
            guard let source = Schema.Source(text) else {
                report(
                    places.value("source", inColumn: index), "unknown source \"\(text)\"",
                    sourceHint(text))
                return nil
            }
            sources.append(source)
        }
        return sources
    }

    // MARK: Values

    private mutating func string(
        _ value: (any TOMLValueConvertible)?, _ key: String, inColumn index: Int? = nil
    ) -> String? {
        guard let value else { return nil }
        guard let text = value.string else {
            report(
                places.value(key, inColumn: index), "\(key) is not a text",
                "put it in quotes: \(key) = \"…\"")
            return nil
        }
        return text
    }

    /// A text, or a list of them.
    private mutating func strings(
        _ value: (any TOMLValueConvertible)?, _ key: String, inColumn index: Int?
    ) -> [String]? {
        guard let value else { return nil }
        if let text = value.string { return [text] }
        let texts = value.array?.map { $0.string }
        guard let texts, !texts.contains(nil) else {
            report(
                places.value(key, inColumn: index), "\(key) is neither a text nor a list of texts",
                "write \(key) = \"…\" or \(key) = [\"…\", \"…\"]")
            return nil
        }
        return texts.compactMap(\.self)
    }

    // MARK: Problems

    private mutating func report(_ place: SchemaPlaces.Place?, _ message: String, _ hint: String) {
        problems.append(
            SchemaProblem(
                file: file, line: place?.line, column: place?.column, message: message, hint: hint))
    }

    private func place(of place: Schema.Flaw.Place, _ indices: [Int]) -> SchemaPlaces.Place? {
        switch place {
        case .table: places.value("table", inColumn: nil)
        case .badTable: places.value("bad_table", inColumn: nil)
        case .distributionKey: places.value("distkey", inColumn: nil)
        case .sortKey: places.value("sortkey", inColumn: nil)
        case .columns: nil
        case .column(let index, let field):
            places.value(field.rawValue, inColumn: indices[index]) ?? places.header(indices[index])
        }
    }
}

extension Schema.Flaw.Place {
    fileprivate var isOfOneColumn: Bool {
        switch self {
        case .column, .table, .badTable: true
        case .columns, .distributionKey, .sortKey: false
        }
    }
}

// MARK: - Hints

private func list(_ words: [String]) -> String { words.joined(separator: ", ") }

private func unknownKeyHint(_ key: String, among known: [String]) -> String {
    if let near = nearest(to: key, among: known) { return "did you mean \"\(near)\"?" }
    return "the keys here are " + list(known)
}

private func typeHint(_ text: String) -> String {
    let bare = text.lowercased()
    if bare.hasPrefix("varchar") {
        return "write the most bytes it may have: \"varchar(64)\""
    }
    let others = [
        "text": "varchar(n)", "string": "varchar(n)", "char": "varchar(n)", "int": "integer",
        "int4": "integer", "smallint": "integer", "int8": "bigint", "long": "bigint",
        "float": "double", "float8": "double", "real": "double", "double precision": "double",
        "decimal": "double", "numeric": "double", "bool": "boolean", "datetime": "timestamp",
        "timestamptz": "timestamp", "date": "timestamp", "json": "super", "jsonb": "super",
    ]
    if let known = others[bare] ?? nearest(to: bare, among: Schema.ColumnType.spellings) {
        return "did you mean \"\(known)\"?"
    }
    return "the types are " + list(Schema.ColumnType.spellings)
}

private func sourceHint(_ text: String) -> String {
    if let near = nearest(to: text, among: Schema.Source.spellings.filter { $0 != "query:NAME" }) {
        return "did you mean \"\(near)\"?"
    }
    if !text.isEmpty, !text.contains(":") {
        return "for the query parameter of that name write \"query:\(text)\"; otherwise one of "
            + list(Schema.Source.spellings)
    }
    return "the sources are " + list(Schema.Source.spellings)
}

/// The word at most two edits (half of its letters) away, if there is one.
private func nearest(to word: String, among words: [String]) -> String? {
    let distances = words.map { (word: $0, edits: editDistance(word, $0)) }
    guard let best = distances.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits <= max(1, min(2, best.word.count / 2)) ? best.word : nil
}

private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.prefix(64))
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let cost = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
            (diagonal, row[j + 1]) = (row[j + 1], cost)
        }
    }
    return row[right.count]
}

// MARK: - Places

/// Where the keys of a schema file stand, which the TOML library does not tell. Knows what a schema
/// consists of (top keys, [[column]] headers, one key a line), not all of TOML; what it does not
/// find has no place in the message.
private struct SchemaPlaces {
    struct Place {
        var line: Int
        var column: Int
    }

    private struct Key: Hashable {
        /// nil above the first column.
        var column: Int?
        var name: String
    }

    private var headers: [Place] = []
    private var keys: [Key: Place] = [:]
    private var values: [Key: Place] = [:]

    init(_ text: String) {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            let indent = line.prefix { $0 == " " || $0 == "\t" }.count
            let code = line.dropFirst(indent)
            if code.hasPrefix("[") {
                if code.filter({ $0 != " " && $0 != "\t" }).hasPrefix("[[column]]") {
                    headers.append(Place(line: number + 1, column: indent + 1))
                }
                continue
            }
            guard let equals = code.firstIndex(of: "="), !code.hasPrefix("#") else { continue }
            let name = code[..<equals].filter { !" \t\"'".contains($0) }
            let key = Key(column: headers.isEmpty ? nil : headers.count - 1, name: name)
            guard keys[key] == nil else { continue }
            keys[key] = Place(line: number + 1, column: indent + 1)
            let after = code[code.index(after: equals)...]
            let blanks = after.prefix { $0 == " " || $0 == "\t" }.count
            let before = code.distance(from: code.startIndex, to: equals) + 1 + blanks
            values[key] = Place(line: number + 1, column: indent + before + 1)
        }
    }

    func header(_ column: Int) -> Place? {
        headers.indices.contains(column) ? headers[column] : nil
    }

    func key(_ name: String, inColumn column: Int?) -> Place? {
        keys[Key(column: column, name: name)]
    }

    func value(_ name: String, inColumn column: Int?) -> Place? {
        values[Key(column: column, name: name)]
    }
}
