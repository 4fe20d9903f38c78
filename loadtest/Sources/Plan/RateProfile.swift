/// Requests a second over time: straight pieces, one after the other.
struct RateProfile: Codable, Equatable, Sendable {
    /// The rate goes evenly from `from` to `to` in `seconds`.
    struct Piece: Codable, Equatable, Sendable {
        var seconds: Double
        var from: Double
        var to: Double
    }

    var pieces: [Piece]

    static func constant(_ rate: Double, seconds: Double) -> RateProfile {
        RateProfile(pieces: [Piece(seconds: seconds, from: rate, to: rate)])
    }

    var seconds: Double { pieces.reduce(0) { $0 + $1.seconds } }
}
