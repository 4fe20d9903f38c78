import CJSON

/// Any JSON, as a tree: for the small documents of control calls. Records never take this way.
indirect enum JSONValue: Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
    case array([JSONValue])
    /// In document order.
    case object([Field])

    struct Field: Equatable {
        var key: String
        var value: JSONValue
    }

    static func object(_ fields: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(fields.map { Field(key: $0.key, value: $0.value) })
    }

    /// Nil when the text is no JSON. Copies it, for the parser's padding.
    init?(parsing bytes: [UInt8]) {
        let padded = bytes + [UInt8](repeating: 0, count: Int(CJSON_PADDING))
        let parser = cjson_make(max(bytes.count, 64))!
        defer { cjson_free(parser) }
        var root = cjson_value()
        let isParsed = padded.withUnsafeBytes {
            cjson_parse(
                parser, $0.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count, &root)
                == nil
        }
        guard isParsed else { return nil }
        self.init(root)
    }

    /// A copy of a parsed value. Its depth is bounded by the parser's (1,024).
    init(_ value: cjson_value) {
        switch cjson_kind_of(value) {
        case .null: self = .null
        case .bool: self = .bool(cjson_bool(value) != 0)
        case .integer: self = .integer(cjson_integer(value))
        case .unsigned, .double: self = .double(cjson_double(value))
        case .text: self = .text(String(cjson_text_of(value)))
        case .array:
            var elements: [JSONValue] = []
            var cursor = cjson_begin(value)
            var element = cjson_value()
            while cjson_next_element(&cursor, &element) != 0 { elements.append(JSONValue(element)) }
            self = .array(elements)
        case .object:
            var fields: [Field] = []
            var cursor = cjson_begin(value)
            var key = cjson_text()
            var field = cjson_value()
            while cjson_next_field(&cursor, &key, &field) != 0 {
                fields.append(Field(key: String(key), value: JSONValue(field)))
            }
            self = .object(fields)
        }
    }

    /// A field of an object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.key == key }?.value
    }

    var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    var integer: Int64? {
        if case .integer(let number) = self { return number }
        return nil
    }

    var fields: [Field] {
        if case .object(let fields) = self { return fields }
        return []
    }

    /// Compact JSON.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

/// Writes JSON text. Beyond what JSON asks, `<`, `>` and `&` are escaped too, so that the text does
/// no harm where it lands in a page.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): flag ? raw("true") : raw("false")
        case .integer(let number): bytes += Array(String(number).utf8)
        case .double(let number): write(number)
        case .text(let text): write(text)
        case .array(let elements):
            raw("[")
            for (at, element) in elements.enumerated() {
                if at > 0 { raw(",") }
                write(element)
            }
            raw("]")
        case .object(let fields):
            raw("{")
            for (at, field) in fields.enumerated() {
                if at > 0 { raw(",") }
                write(field.key)
                raw(":")
                write(field.value)
            }
            raw("}")
        }
    }

    /// JSON has no infinity and no NaN: they become null.
    mutating func write(_ number: Double) {
        number.isFinite ? bytes += Array("\(number)".utf8) : raw("null")
    }

    mutating func write(_ text: String) {
        raw("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "\r"): raw("\\r")
            case UInt8(ascii: "\t"): raw("\\t")
            case 0..<0x20, 0x7f, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                escape(byte)
            default: bytes.append(byte)
            }
        }
        raw("\"")
    }

    private mutating func escape(_ byte: UInt8) {
        let digits: StaticString = "0123456789abcdef"
        raw("\\u00")
        bytes.append(digits.utf8Start[Int(byte >> 4)])
        bytes.append(digits.utf8Start[Int(byte & 15)])
    }
}
