extension Schema {
    /// Something a schema must not be: where, what, and how to mend it.
    public struct Flaw: Error, Equatable, Sendable, CustomStringConvertible {
        /// The part of the schema at fault, by which a file reader finds the line.
        public enum Place: Equatable, Sendable {
            public enum Field: String, Sendable { case name, type, source, required }

            case table, badTable, distributionKey, sortKey
            /// The list of columns as a whole.
            case columns
            /// A field of the column at that index.
            case column(Int, Field)
        }

        public var place: Place
        public var problem: String
        public var remedy: String

        public init(_ place: Place, _ problem: String, _ remedy: String) {
            self.place = place
            self.problem = problem
            self.remedy = remedy
        }

        public var description: String { "\(problem): \(remedy)" }
    }

    /// Everything wrong with this schema; empty when it can be used.
    public func flaws() -> [Flaw] {
        var found = tableFlaws() + columnsFlaws()
        for (index, column) in columns.enumerated() {
            found += nameFlaws(column, at: index)
            found += typeFlaws(column, at: index)
            found += sourceFlaws(column, at: index)
        }
        return found + repeatedSourceFlaws() + keyFlaws()
    }

    /// Lower case, digits and underscore, not starting with a digit: needs no quotes in any
    /// warehouse, and COPY's JSON keys match it without options.
    static func isIdentifier(_ name: String) -> Bool {
        guard (1...Limit.nameBytesMax).contains(name.utf8.count) else { return false }
        for (index, byte) in name.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0: continue
            default: return false
            }
        }
        return true
    }

    private static let identifierRemedy =
        "use a-z, 0-9 and _, starting with a letter or _, at most \(Limit.nameBytesMax) bytes"

    private func tableFlaws() -> [Flaw] {
        var found: [Flaw] = []
        if !Self.isIdentifier(table) {
            found.append(
                Flaw(.table, "\"\(table)\" cannot be a table name", Self.identifierRemedy))
        }
        if !Self.isIdentifier(badTable) {
            found.append(
                Flaw(.badTable, "\"\(badTable)\" cannot be a table name", Self.identifierRemedy))
        }
        if table == badTable {
            found.append(
                Flaw(
                    .badTable, "good and bad rows would share the table \"\(table)\"",
                    "give bad_table another name"))
        }
        return found
    }

    private func columnsFlaws() -> [Flaw] {
        var found: [Flaw] = []
        if columns.count > Limit.columnsMax {
            found.append(
                Flaw(
                    .columns, "\(columns.count) columns",
                    "a schema holds at most \(Limit.columnsMax); the rest column keeps what has"
                        + " no column of its own"))
        }
        if !columns.contains(where: { $0.sources == [.hitID] }) {
            found.append(
                Flaw(
                    .columns, "no column holds the hit id",
                    "add a column with type = \"varchar(36)\" and source = \"hit_id\": the"
                        + " warehouse tells duplicates by it"))
        }
        let overhead = rowOverheadBytes
        if columns.count <= Limit.columnsMax, overhead > Limit.rowOverheadBytesMax {
            found.append(
                Flaw(
                    .columns,
                    "a short request could become a row with \(overhead) bytes of names and fixed"
                        + " values (limit \(Limit.rowOverheadBytesMax))",
                    "shorten column names, or read them from parameters with longer names"))
        }
        return found
    }

    private func nameFlaws(_ column: Column, at index: Int) -> [Flaw] {
        guard Self.isIdentifier(column.name) else {
            return [
                Flaw(
                    .column(index, .name), "\"\(column.name)\" cannot be a column name",
                    Self.identifierRemedy)
            ]
        }
        guard let first = columns.firstIndex(where: { $0.name == column.name }), first < index
        else { return [] }
        return [
            Flaw(
                .column(index, .name), "column \"\(column.name)\" is defined twice",
                "rename or remove one of them")
        ]
    }

    private func typeFlaws(_ column: Column, at index: Int) -> [Flaw] {
        func flaw(_ problem: String, _ remedy: String) -> [Flaw] {
            [Flaw(.column(index, .type), "column \"\(column.name)\": \(problem)", remedy)]
        }
        if case .varchar(let bytes) = column.type, !(1...Limit.varcharBytesMax).contains(bytes) {
            return flaw(
                "varchar(\(bytes)) is no type",
                "a varchar holds 1 to \(Limit.varcharBytesMax) bytes")
        }
        for source in column.sources {
            switch (source, column.type) {
            case (.rest, .super), (.query, _), (.receivedAt, .timestamp): continue
            case (.rest, _):
                return flaw("the rest is a JSON object", "make its type \"super\"")
            case (.receivedAt, _):
                return flaw("the received time is a timestamp", "make its type \"timestamp\"")
            case (.hitID, .varchar(let bytes)) where bytes < 36:
                return flaw("a hit id has 36 bytes", "make its type \"varchar(36)\"")
            case (.clientAddress, .varchar(let bytes)) where bytes < 45:
                return flaw("an address has up to 45 bytes", "make its type \"varchar(45)\"")
            case (_, .varchar): continue
            default:
                return flaw("\(source) is text", "make its type \"varchar(n)\"")
            }
        }
        if column.type == .super, column.sources != [.rest] {
            return flaw(
                "a super column holds the rest and nothing else",
                "set source = \"rest\", or make the type \"varchar(n)\"")
        }
        return []
    }

    private func sourceFlaws(_ column: Column, at index: Int) -> [Flaw] {
        func flaw(_ field: Flaw.Place.Field, _ problem: String, _ remedy: String) -> Flaw {
            Flaw(.column(index, field), "column \"\(column.name)\": \(problem)", remedy)
        }
        var found: [Flaw] = []
        if column.sources.isEmpty {
            found.append(
                flaw(.source, "no source", "leave source out to read the parameter of its name"))
        }
        if column.sources.count > Limit.sourcesPerColumnMax {
            found.append(
                flaw(
                    .source, "\(column.sources.count) sources",
                    "list at most \(Limit.sourcesPerColumnMax)"))
        }
        for source in column.sources {
            switch source {
            case .hitID, .receivedAt, .rest:
                if column.sources.count > 1 {
                    found.append(
                        flaw(
                            .source, "\(source) cannot be one of several sources",
                            "let it stand alone"))
                }
            case .query(let key):
                if !(1...Limit.parameterBytesMax).contains(key.utf8.count) {
                    found.append(
                        flaw(
                            .source, "a parameter name has 1 to \(Limit.parameterBytesMax) bytes",
                            "write \"query:NAME\""))
                }
            case .clientAddress, .userAgent, .referer, .visitorCookie: break
            }
        }
        if column.required, column.sources.contains(.rest) {
            found.append(
                flaw(
                    .required, "the rest cannot be required: most hits have no unknown parameters",
                    "remove required"))
        }
        return found
    }

    /// One use a source: a row then never grows beyond its request, and a reader never wonders
    /// which of two columns is right.
    private func repeatedSourceFlaws() -> [Flaw] {
        var seen: [Source: Int] = [:]
        var found: [Flaw] = []
        for (index, column) in columns.enumerated() {
            for source in column.sources {
                guard let first = seen.updateValue(index, forKey: source) else { continue }
                let problem =
                    source == .rest
                    ? "column \"\(column.name)\": a second rest column"
                    : "column \"\(column.name)\": \(source) is already the source of"
                        + " \"\(columns[first].name)\""
                found.append(
                    Flaw(.column(index, .source), problem, "a source feeds one column only"))
            }
        }
        return found
    }

    private func keyFlaws() -> [Flaw] {
        var found: [Flaw] = []
        func check(_ name: String, _ place: Flaw.Place, _ what: String) {
            guard let column = columns.first(where: { $0.name == name }) else {
                found.append(
                    Flaw(place, "\(what) \"\(name)\" is no column", "name one of the columns"))
                return
            }
            if column.type == .super {
                found.append(
                    Flaw(
                        place, "\(what) \"\(name)\" is a super column",
                        "name a column of another type"))
            }
        }
        if let distributionKey { check(distributionKey, .distributionKey, "distkey") }
        for name in sortKey { check(name, .sortKey, "sortkey") }
        if Set(sortKey).count < sortKey.count {
            found.append(Flaw(.sortKey, "sortkey names a column twice", "name each once"))
        }
        return found
    }
}
