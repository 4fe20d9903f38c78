import Core
import Glibc

/// After how many requests each connection closes.
struct ConnectionLengths {
    private let key: UInt64
    private let mean: Double
    private let isGeometric: Bool

    private static let most = 1e9

    init(_ plan: LoadPlan) {
        key = SplitMix64.mix(plan.seed &+ 0x636f_6e6e)
        if let fixed = plan.requestsPerConnection {
            (mean, isGeometric) = (Double(fixed), false)
        } else {
            let length = plan.scenario?.connection
            (mean, isGeometric) = (length?.requests ?? 0, length?.spread == .geometric)
        }
    }

    func requests(_ ordinal: UInt64, thread: Int) -> Int? {
        if mean <= 0 { return nil }
        if !isGeometric { return Int(min(max(mean.rounded(), 1), Self.most)) }
        if mean <= 1 { return 1 }
        var draws = SplitMix64(
            key: SplitMix64.mix(key &+ UInt64(bitPattern: Int64(thread))), number: ordinal)
        // By inversion: each request is the last one with probability 1/mean.
        let steps = (log1p(-draws.nextUnit()) / log1p(-1 / mean)).rounded(.down)
        return Int(min(1 + steps, Self.most))
    }
}
