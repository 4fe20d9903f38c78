import CBytes

/// A schema as the encoder reads it: flat tables in memory of their own, made once.
struct RowPlan: ~Copyable {
    /// How a column's value is written.
    enum Form: UInt8 {
        case hitID, receivedAt, clientAddress, text, integer, bigint, double, boolean, timestamp
        /// Text of the first source, as long as that is a parameter that came, with a value that
        /// may stand as it is; else like `text`.
        case parameterText
        /// Text of the User-Agent or the Referer and of nothing else.
        case userAgent, referer
    }

    struct Column {
        /// `,"name":`, and the opening quote where the value is text.
        var fragment: Bytes
        var fragmentBytes: Int
        var form: Form
        var isRequired: Bool
        var firstSource: Int
        var sourceCount: Int
        /// Of its first source, where that is a parameter.
        var slot: Int
        /// Text: the most bytes it may have.
        var bytesMax: Int
        /// Position in the schema.
        var index: Int
    }

    enum Origin: UInt8 { case parameter, clientAddress, userAgent, referer, visitorCookie }

    struct Source {
        var origin: Origin
        /// Of a parameter.
        var slot: Int
    }

    /// A parameter's name as the inside of a JSON string, for the rest.
    struct ParameterText {
        var text: Bytes
        var byteCount: Int
    }

    let columns: UnsafeMutablePointer<Column>
    /// All columns but the rest.
    let columnCount: Int
    let sources: UnsafeMutablePointer<Source>
    let parameters: ParameterTable
    let parameterTexts: UnsafeMutablePointer<ParameterText>
    let parameterCount: Int
    /// A bit for each column that is looked at in every hit. The others are optional and have no
    /// source but parameters, so that none of them means nothing to do. Zeros follow: the
    /// encoder's `wanted` and `found` as they are before a hit.
    let always: UnsafeMutablePointer<UInt64>
    let markBytes: Int
    /// Words of such a set of columns.
    let setWords: Int
    /// Of each parameter: the column that it may feed.
    let columnOfSlot: UnsafeMutablePointer<Int>
    /// `,"extra":{`; no bytes when the schema keeps no rest.
    let rest: ParameterText
    private let texts: RowCursor

    init(_ schema: Schema) {
        var parameterNames: [String] = []
        var flatSources: [Source] = []
        var flatColumns: [(name: String, column: Column)] = []
        var restName: String?
        var feeds: [Int] = []
        let nothing = Bytes(bitPattern: 1)!
        for (index, column) in schema.columns.enumerated() {
            if column.sources == [.rest] {
                restName = column.name
                continue
            }
            let firstSource = flatSources.count
            for source in column.sources {
                switch source {
                case .query(let name):
                    flatSources.append(Source(origin: .parameter, slot: parameterNames.count))
                    parameterNames.append(name)
                    feeds.append(flatColumns.count)
                case .clientAddress: flatSources.append(Source(origin: .clientAddress, slot: 0))
                case .userAgent: flatSources.append(Source(origin: .userAgent, slot: 0))
                case .referer: flatSources.append(Source(origin: .referer, slot: 0))
                case .visitorCookie: flatSources.append(Source(origin: .visitorCookie, slot: 0))
                case .hitID, .receivedAt, .rest: continue
                }
            }
            let (form, bytesMax) = Self.form(of: column, flatSources[firstSource...])
            flatColumns.append(
                (
                    column.name,
                    Column(
                        fragment: nothing, fragmentBytes: 0, form: form,
                        isRequired: column.required, firstSource: firstSource,
                        sourceCount: flatSources.count - firstSource,
                        slot: flatSources[firstSource...].first?.slot ?? 0, bytesMax: bytesMax,
                        index: index)
                ))
        }

        // One block for all texts: their sum, a parameter's name escaped at worst sixfold.
        let textBytes =
            flatColumns.reduce(0) { $0 + $1.name.utf8.count + 5 }
            + parameterNames.reduce(0) { $0 + 6 * $1.utf8.count }
            + (restName?.utf8.count ?? 0) + 5 + 32
        texts = .allocate(capacity: textBytes)
        texts.initialize(repeating: 0, count: textBytes)
        var at = texts
        func append(_ text: String) -> ParameterText {
            let start = at
            for byte in text.utf8 {
                at[0] = byte
                at += 1
            }
            return ParameterText(text: Bytes(start), byteCount: at - start)
        }

        columnCount = flatColumns.count
        columns = .allocate(capacity: max(1, columnCount))
        for (index, (name, column)) in flatColumns.enumerated() {
            let text = append(",\"\(name)\":" + (Self.isQuoted(column.form) ? "\"" : ""))
            var placed = column
            placed.fragment = text.text
            placed.fragmentBytes = text.byteCount
            (columns + index).initialize(to: placed)
        }
        rest =
            restName.map { append(",\"\($0)\":{") } ?? ParameterText(text: nothing, byteCount: 0)
        sources = .allocate(capacity: max(1, flatSources.count))
        sources.initialize(from: flatSources, count: flatSources.count)
        parameterCount = parameterNames.count
        columnOfSlot = .allocate(capacity: max(1, parameterCount))
        columnOfSlot.initialize(from: feeds, count: parameterCount)
        setWords = columnCount / 64 + 1
        markBytes = 8 * setWords + 2 * parameterCount
        always = .allocate(capacity: (markBytes + 7) / 8)
        always.initialize(repeating: 0, count: (markBytes + 7) / 8)
        for (index, (_, column)) in flatColumns.enumerated() {
            let own = flatSources[column.firstSource...].prefix(column.sourceCount)
            let isFedByParametersOnly = !own.isEmpty && own.allSatisfy { $0.origin == .parameter }
            if column.isRequired || !isFedByParametersOnly {
                always[index / 64] |= 1 << UInt64(index % 64)
            }
        }
        parameterTexts = .allocate(capacity: max(1, parameterCount))
        for (slot, name) in parameterNames.enumerated() {
            let start = at
            let bytes = Array(name.utf8)
            bytes.withUnsafeBufferPointer {
                _ = appendPlainText($0.baseAddress!, bytes.count, limit: .max, to: &at)
            }
            (parameterTexts + slot).initialize(
                to: ParameterText(text: Bytes(start), byteCount: at - start))
        }
        parameters = ParameterTable(parameterNames)
    }

    deinit {
        columns.deallocate()
        sources.deallocate()
        parameterTexts.deallocate()
        columnOfSlot.deallocate()
        always.deallocate()
        texts.deallocate()
    }

    private static func form(
        of column: Schema.Column, _ sources: ArraySlice<Source>
    ) -> (Form, bytesMax: Int) {
        switch column.sources {
        case [.hitID]: return (.hitID, 36)
        case [.receivedAt]: return (.receivedAt, 26)
        case [.clientAddress]: return (.clientAddress, 45)
        default: break
        }
        switch column.type {
        case .varchar(let bytes): return (textForm(sources.map(\.origin)), bytes)
        case .integer: return (.integer, 0)
        case .bigint: return (.bigint, 0)
        case .double: return (.double, 0)
        case .boolean: return (.boolean, 0)
        case .timestamp: return (.timestamp, 0)
        case .super: preconditionFailure("a super column holds the rest only: Schema.flaws()")
        }
    }

    private static func textForm(_ origins: [Origin]) -> Form {
        if origins == [.userAgent] { return .userAgent }
        if origins == [.referer] { return .referer }
        // A later parameter would have to go to the rest when the first one is taken.
        let isLone = origins.first == .parameter && !origins.dropFirst().contains(.parameter)
        return isLone ? .parameterText : .text
    }

    private static func isQuoted(_ form: Form) -> Bool {
        switch form {
        case .hitID, .receivedAt, .clientAddress, .text, .parameterText, .userAgent, .referer,
            .timestamp:
            true
        case .integer, .bigint, .double, .boolean: false
        }
    }
}
