import Glibc

/// Ranks 1 ... n by Zipf's law: few of them from a table, since a look into it costs a tenth of the
/// logarithms; many by `Zipf`, which needs none.
struct Ranks {
    private static let tableMax = 4096
    private let zipf: Zipf
    private let table: Choice
    private let hasTable: Bool

    init(count: Int, exponent: Double, in store: inout ByteStore) {
        hasTable = count <= Self.tableMax
        zipf = Zipf(count: count, exponent: exponent)
        let weights = (1...min(count, Self.tableMax)).map { pow(Double($0), -exponent) }
        table = Choice(hasTable ? weights : [1], in: &store)
    }

    @inline(__always)
    func rank(_ draws: inout SplitMix64) -> UInt64 {
        if hasTable { return 1 &+ UInt64(truncatingIfNeeded: table.index(draws.next())) }
        return zipf.rank(&draws)
    }
}
