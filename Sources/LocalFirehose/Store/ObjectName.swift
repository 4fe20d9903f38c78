import Core
import Platform

/// What makes an object's name unique, fixed when its buffer is opened: so however often the object
/// is begun again after a death, it is the same object.
///
///     buffer file   buffer-0000000007-2026-01-02-03-04-05-5f0c…
///     object        PREFIX2026/01/02/03/STREAM-1-2026-01-02-03-04-05-5f0c….gz
struct ObjectName: Equatable {
    var number: Int
    /// "2026-01-02-03-04-05", UTC: when the first record came.
    var moment: String
    var uuid: String

    init(number: Int, unixSeconds: Int64) {
        self.number = number
        moment = CivilTime(unixSeconds: unixSeconds).dashed
        uuid = randomUUID()
    }

    /// Nil when the file is no buffer.
    init?(bufferFile name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 13, parts[0] == "buffer", let number = Int(parts[1]), number >= 0,
            zip(parts[2...7], [4, 2, 2, 2, 2, 2]).allSatisfy({
                $0.utf8.count == $1 && Int($0) != nil
            }),
            zip(parts[8...12], [8, 4, 4, 4, 12]).allSatisfy({ $0.utf8.count == $1 })
        else { return nil }
        self.number = number
        moment = parts[2...7].joined(separator: "-")
        uuid = parts[8...12].joined(separator: "-")
    }

    var bufferFile: String { "buffer-\(padded(number, 10))-\(moment)-\(uuid)" }

    /// The object's key within its bucket.
    func key(stream: String, prefix: String, isGzip: Bool) -> String {
        let parts = moment.split(separator: "-")
        return prefix + parts[0...3].joined(separator: "/") + "/\(stream)-1-\(moment)-\(uuid)"
            + (isGzip ? ".gz" : "")
    }
}

extension CivilTime {
    /// "2026-01-02-03-04-05".
    var dashed: String {
        "\(padded(year, 4))-\(padded(month))-\(padded(day))-\(padded(hour))-\(padded(minute))-"
            + padded(second)
    }
}

/// A number with leading zeros.
func padded(_ value: Int, _ width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// A random UUID (version 4), lower case.
func randomUUID() -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    bytes.withUnsafeMutableBytes { fillRandom($0) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let hex = Array(lowerHex(bytes))
    let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return cuts.map { String(hex[$0]) }.joined(separator: "-")
}
