/// Requests a second over time: straight pieces, one after the other.
struct RateProfile: Codable, Equatable, Sendable {
    /// The rate goes evenly from `from` to `to` in `seconds`.
    struct Piece: Codable, Equatable, Sendable {
        var seconds: Double
        var from: Double
        var to: Double

        /// The area under the first `elapsed` seconds of it.
        func dueCount(atSeconds elapsed: Double) -> Double {
            if elapsed >= seconds { return seconds * (from + to) / 2 }
            return elapsed * (from + (to - from) * elapsed / seconds / 2)
        }
    }

    var pieces: [Piece]

    static func constant(_ rate: Double, seconds: Double) -> RateProfile {
        RateProfile(pieces: [Piece(seconds: seconds, from: rate, to: rate)])
    }

    var seconds: Double { pieces.reduce(0) { $0 + $1.seconds } }

    /// How many requests are due in all.
    var requests: Double { ends.last?.count ?? 0 }

    /// How many requests are due up to that time: the integral of the rate. Request 0 is the first.
    func dueCount(atSeconds elapsed: Double) -> Double {
        var start = (seconds: 0.0, count: 0.0)
        for (piece, end) in zip(pieces, ends) {
            if elapsed < end.seconds {
                return start.count + piece.dueCount(atSeconds: max(0, elapsed - start.seconds))
            }
            start = end
        }
        return start.count
    }

    /// The rate at that time; 0 before the start and from the end on.
    func rate(atSeconds elapsed: Double) -> Double {
        var start = 0.0
        for piece in pieces {
            let inside = elapsed - start
            if inside < 0 { return 0 }
            if inside < piece.seconds {
                return piece.from + (piece.to - piece.from) * inside / piece.seconds
            }
            start += piece.seconds
        }
        return 0
    }

    /// The same shape, `rate` where it was `base`.
    func scaled(to rate: Double, from base: Double) -> RateProfile {
        RateProfile(
            pieces: pieces.map {
                Piece(
                    seconds: $0.seconds, from: $0.from * rate / base, to: $0.to * rate / base)
            })
    }

    /// Its first `limit` seconds; where it is shorter, it goes on at the rate it ends with.
    func lasting(seconds limit: Double) -> RateProfile {
        var cut: [Piece] = []
        var left = limit
        for piece in pieces where piece.seconds > 0 && left > 0 {
            if piece.seconds <= left {
                cut.append(piece)
            } else {
                let to = piece.from + (piece.to - piece.from) * left / piece.seconds
                cut.append(Piece(seconds: left, from: piece.from, to: to))
            }
            left -= piece.seconds
        }
        if left > 0, let rate = pieces.last?.to {
            cut.append(Piece(seconds: left, from: rate, to: rate))
        }
        return RateProfile(pieces: cut)
    }

    /// Where each piece ends: seconds since the start and requests due until then. A count that is a
    /// whole number but for rounding is made one: else a rate of 0.1 three times a second might send
    /// one request more, or fewer, than anybody would work out.
    fileprivate var ends: [(seconds: Double, count: Double)] {
        var end = (seconds: 0.0, count: 0.0)
        return pieces.map { piece in
            end.seconds += piece.seconds
            end.count += piece.dueCount(atSeconds: piece.seconds)
            let whole = end.count.rounded()
            if abs(end.count - whole) <= 1e-12 * max(1, whole) { end.count = whole }
            return end
        }
    }
}

/// Says when requests are due: the inverse of a profile's integral, asked in rising order. A few
/// multiplications a call; nothing is allocated after `init`.
struct RateCursor: ~Copyable {
    private struct Piece {
        var startSeconds: Double
        var startCount: Double
        var endCount: Double
        var from: Double
        /// Change of the rate a second.
        var slope: Double
    }

    private let pieces: UnsafeMutableBufferPointer<Piece>
    private var index = 0

    init(_ profile: RateProfile) {
        pieces = .allocate(capacity: profile.pieces.count)
        var start = (seconds: 0.0, count: 0.0)
        for (place, (piece, end)) in zip(profile.pieces, profile.ends).enumerated() {
            pieces.initializeElement(
                at: place,
                to: Piece(
                    startSeconds: start.seconds, startCount: start.count, endCount: end.count,
                    from: piece.from,
                    slope: piece.seconds > 0 ? (piece.to - piece.from) / piece.seconds : 0))
            start = end
        }
    }

    deinit { pieces.deallocate() }

    /// Nanoseconds from the start to the moment that more than `count` requests are due: request 0
    /// of an even stream is due where the rate leaves zero, and none falls into a pause. Nil when
    /// the profile ends before. `count` may have a fraction (random arrivals) and must not fall.
    mutating func dueNanoseconds(count: Double) -> UInt64? {
        while index < pieces.count {
            let piece = pieces[index]
            if count < piece.endCount {
                let seconds = piece.startSeconds + Self.seconds(in: piece, count: count)
                return UInt64(seconds * 1e9)
            }
            index += 1
        }
        return nil
    }

    /// How far into the piece the area from its start is `count - startCount`: the solution of
    /// `from · x + slope · x² / 2 = area` that loses no digits, whichever sign the slope has.
    private static func seconds(in piece: Piece, count: Double) -> Double {
        let area = max(0, count - piece.startCount)
        if piece.slope == 0 { return area / piece.from }
        let root = max(0, piece.from * piece.from + 2 * piece.slope * area).squareRoot()
        return area == 0 ? 0 : 2 * area / (piece.from + root)
    }
}
