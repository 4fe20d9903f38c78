/// A text as a test's argument. Of a long one the log shows only how it begins: written out, half a
/// million line ends were most of a log.
public struct LongText: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String
    private static let shownBytes = 60

    public init(_ text: String) { self.text = text }
    public init(stringLiteral: String) { text = stringLiteral }

    public var description: String {
        let bytes = text.utf8
        let shown = String(decoding: bytes.prefix(Self.shownBytes), as: UTF8.self).debugDescription
        return bytes.count <= Self.shownBytes ? shown : "\(shown)… of \(bytes.count) bytes"
    }
}
