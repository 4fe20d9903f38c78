import Glibc

/// Draws ranks 1 ... n, rank k with a probability proportional to 1 / k^exponent, in constant time
/// and without a table: rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate
/// variates from monotone discrete distributions", 1996).
///
/// The steps of the distribution are inscribed in the integral of x^-exponent; a point under the
/// integral is drawn by inversion, and taken when it lies under its step. Most are.
struct Zipf {
    private let count: UInt64
    private let exponent: Double
    private let integralOfFirst: Double
    private let integralOfAll: Double
    /// Within so much of a rank its point lies under the step for certain.
    private let sureDistance: Double

    init(count: Int, exponent: Double) {
        precondition(count >= 1 && exponent >= 0)
        self.count = UInt64(count)
        self.exponent = exponent
        integralOfFirst = Self.integral(1.5, exponent) - 1
        integralOfAll = Self.integral(Double(count) + 0.5, exponent)
        sureDistance =
            2
            - Self.inverse(Self.integral(2.5, exponent) - exp(-exponent * log(2)), exponent)
    }

    @inline(__always)
    func rank(_ draws: inout SplitMix64) -> UInt64 {
        if exponent == 0 { return 1 + draws.next().multipliedFullWidth(by: count).high }
        while true {
            let point = integralOfAll + draws.nextUnit() * (integralOfFirst - integralOfAll)
            let place = Self.inverse(point, exponent)
            let rank = min(max(UInt64(max(place + 0.5, 1)), 1), count)
            let near = Double(rank)
            if near - place <= sureDistance
                || point >= Self.integral(near + 0.5, exponent) - exp(-exponent * log(near))
            {
                return rank
            }
        }
    }

    /// Of x^-exponent, from 1 to x.
    private static func integral(_ x: Double, _ exponent: Double) -> Double {
        let logarithm = log(x)
        let power = (1 - exponent) * logarithm
        // expm1(p)/p, which is 1 where the exponent is 1.
        return (abs(power) > 1e-8 ? expm1(power) / power : 1 + power / 2) * logarithm
    }

    /// The x whose integral that is.
    @inline(__always)
    private static func inverse(_ integral: Double, _ exponent: Double) -> Double {
        let power = max(integral * (1 - exponent), -1)
        return exp((abs(power) > 1e-8 ? log1p(power) / power : 1 - power / 2) * integral)
    }
}
