/// "Did you mean …?"
public enum NearestWord {
    private static let byteCountMax = 64

    /// The candidate a writer most likely meant, or nil when none is near: at most one slip in
    /// three letters, or its first three letters or more. Case and "-" against "_" do not count.
    public static func to(_ word: String, among candidates: [String]) -> String? {
        guard word.utf8.count <= byteCountMax else { return nil }
        let wanted = folded(word)
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let near = folded(candidate)
            let distance = distance(wanted, near)
            guard distance <= max(1, max(wanted.count, near.count) / 3) else { continue }
            if best == nil || distance < best!.distance { best = (candidate, distance) }
        }
        if best == nil, wanted.count >= 3 {
            return candidates.first { folded($0).starts(with: wanted) }
        }
        return best?.word
    }

    /// Insertions, removals, replacements and swaps of neighbours that turn one into the other.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int]()
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }

    private static func folded(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }
}
