/// In JSON a distribution is one string, because an hour's seconds hold some millions of cells:
/// "gap count gap count …", where the gap is the distance from the cell before, the first from 0.
extension LatencyCells {
    /// No number in a result is greater: every reader of JSON takes it as it is, and the sum of
    /// any thousand of them fits 64 bits.
    static let countMax: UInt64 = 1 << 53

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            self = try LatencyCells(text: text)
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: error.description)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    var text: String {
        var out = ""
        var previous = 0
        for (cell, count) in zip(cells, counts) {
            if !out.isEmpty { out += " " }
            out += "\(cell - previous) \(count)"
            previous = cell
        }
        return out
    }

    /// What is wrong with such a string.
    enum Flaw: Error, CustomStringConvertible, Equatable {
        case notNumbers, odd, outOfOrder, cellBeyondScale, countOutOfRange

        var description: String {
            switch self {
            case .notNumbers: "latency cells are numbers with one space between"
            case .odd: "latency cells are pairs of gap and count; one is missing"
            case .outOfOrder: "latency cells must ascend: a gap is 0"
            case .cellBeyondScale: "a latency cell lies beyond the highest, ten minutes"
            case .countOutOfRange: "latency counts are 1 to 2^53, and so is their sum"
            }
        }
    }

    init(text: String) throws(Flaw) {
        let numbers = try Self.numbers(of: text)
        guard numbers.count % 2 == 0 else { throw .odd }
        var cell: UInt64 = 0
        var sum: UInt64 = 0
        for at in stride(from: 0, to: numbers.count, by: 2) {
            let (gap, count) = (numbers[at], numbers[at + 1])
            guard gap > 0 || at == 0 else { throw .outOfOrder }
            guard gap < LatencyScale.cellCount, cell + gap < LatencyScale.cellCount else {
                throw .cellBeyondScale
            }
            cell += gap
            sum += count
            guard count > 0, sum <= Self.countMax else { throw .countOutOfRange }
            cells.append(Int(cell))
            counts.append(count)
        }
    }

    private static func numbers(of text: String) throws(Flaw) -> [UInt64] {
        var out: [UInt64] = []
        var number: UInt64?
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let value = (number ?? 0) * 10 + UInt64(byte - UInt8(ascii: "0"))
                guard value <= countMax else { throw .countOutOfRange }
                number = value
            case UInt8(ascii: " "):
                guard let value = number else { throw .notNumbers }
                out.append(value)
                number = nil
            default: throw .notNumbers
            }
        }
        if let number {
            out.append(number)
        } else if !out.isEmpty {
            throw .notNumbers
        }
        return out
    }
}
