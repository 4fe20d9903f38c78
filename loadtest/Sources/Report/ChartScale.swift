import Glibc

/// Maps values to a stretch of a drawing, evenly or by their logarithm.
struct ChartScale {
    private let low: Double
    private let high: Double
    private let isLog: Bool
    private let start: Double
    private let end: Double

    /// A domain without extent is widened: there is always a place for a value.
    init(
        _ low: Double, _ high: Double, isLog: Bool = false, from start: Double, to end: Double
    ) {
        self.isLog = isLog
        let low = isLog ? log10(max(low, 1e-9)) : low
        let high = isLog ? log10(max(high, 1e-9)) : high
        self.low = low
        self.high = high > low ? high : low + 1
        self.start = start
        self.end = end
    }

    func callAsFunction(_ value: Double) -> Double {
        let value = isLog ? log10(max(value, 1e-9)) : value
        let share = min(max((value - low) / (high - low), 0), 1)
        return start + share * (end - start)
    }
}

/// Round numbers for axes.
enum ChartTicks {
    /// From 0 to the first one at or above `most`, about six steps.
    static func linear(to most: Double) -> [Double] {
        guard most > 0, most < 1e18 else { return [0, 1] }
        let step = roundedUp(most / 5)
        return (0...Int((most / step - 1e-9).rounded(.up))).map { Double($0) * step }
    }

    /// The least of 1, 2, 5, 10, 20 … that is not below.
    private static func roundedUp(_ value: Double) -> Double {
        let power = pow(10, floor(log10(value)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value * (1 - 1e-9) } ?? value
    }

    /// The axis begins and ends at 1, 2 or 5 times a power of ten, with the values between. Ticks
    /// are at these steps; where that is too many, at the powers of ten alone.
    static func logarithmic(
        from least: Double, to most: Double
    ) -> (ticks: [Double], ends: ClosedRange<Double>) {
        let least = min(max(least, 1e-9), 1e18)
        let most = min(max(most, least * 1.01), 1e19)
        let powers = (Int(floor(log10(least)))...Int(ceil(log10(most)))).map { pow(10, Double($0)) }
        let steps = powers.flatMap { [$0, 2 * $0, 5 * $0] }
        let low = steps.last { $0 <= least * (1 + 1e-9) } ?? least
        let high = steps.first { $0 >= most * (1 - 1e-9) } ?? most
        let fine = steps.filter { $0 >= low && $0 <= high }
        let coarse = powers.filter { $0 >= low && $0 <= high }
        return (fine.count <= 7 || coarse.count < 2 ? fine : coarse, low...high)
    }

    /// Seconds of a run, about eight steps.
    static func time(to seconds: Double) -> [Double] {
        let steps: [Double] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
        ]
        let step = steps.first { seconds / $0 <= 10 } ?? (seconds / 8).rounded(.up)
        return (0...Int(max(seconds, 0) / step)).map { Double($0) * step }
    }

    /// "45 s" below two minutes, "3:20" below two hours, "1:30 h" above.
    static func timeText(_ seconds: Double, of length: Double) -> String {
        let whole = Int(seconds)
        if length < 120 { return "\(whole) s" }
        if length < 7200 { return "\(whole / 60):\(padded(whole % 60))" }
        return "\(whole / 3600):\(padded(whole / 60 % 60)) h"
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// A place on a chart; `y` nil where there is no value.
struct ChartPoint: Equatable {
    var x: Double
    var y: Double?
}

enum Downsampling {
    /// At most `limit` points that have the shape of all: of every stretch its least and its
    /// greatest, in their order. A peak of one second stays, and so does a dip.
    static func reduced(_ points: [ChartPoint], to limit: Int = 600) -> [ChartPoint] {
        guard points.count > limit else { return points }
        let size = (points.count * 2 + limit - 1) / limit
        var out: [ChartPoint] = []
        for start in stride(from: 0, to: points.count, by: size) {
            let stretch = points[start..<min(start + size, points.count)]
            let values = stretch.indices.filter { points[$0].y != nil }
            guard
                let least = values.min(by: { points[$0].y! < points[$1].y! }),
                let most = values.max(by: { points[$0].y! < points[$1].y! })
            else {
                out.append(points[start])
                continue
            }
            out.append(points[min(least, most)])
            if least != most { out.append(points[max(least, most)]) }
        }
        return out
    }

    /// For bars: the greatest of every stretch.
    static func peaks(_ points: [ChartPoint], to limit: Int) -> [ChartPoint] {
        guard points.count > limit else { return points }
        let size = (points.count + limit - 1) / limit
        return stride(from: 0, to: points.count, by: size).map { start in
            let stretch = points[start..<min(start + size, points.count)]
            return ChartPoint(x: points[start].x, y: stretch.compactMap(\.y).max())
        }
    }
}

/// Pieces of SVG.
enum SVG {
    /// With one decimal: a tenth of a pixel is finer than anyone sees.
    static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let rest = abs(tenths % 10)
        let sign = tenths < 0 ? "-" : ""
        return rest == 0 ? "\(sign)\(abs(tenths) / 10)" : "\(sign)\(abs(tenths) / 10).\(rest)"
    }

    static func text(
        _ text: String, x: Double, y: Double, _ name: String, anchor: String = "start"
    ) -> String {
        "<text class=\"\(name)\" x=\"\(number(x))\" y=\"\(number(y))\" "
            + "text-anchor=\"\(anchor)\">\(escapedHTML(text))</text>\n"
    }

    static func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ name: String
    ) -> String {
        "<path class=\"\(name)\" d=\"M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))\"/>\n"
    }

    /// Points in a line, broken where there is none.
    static func path(_ points: [(x: Double, y: Double?)]) -> String {
        var out = ""
        var isOpen = false
        for point in points {
            guard let y = point.y else {
                isOpen = false
                continue
            }
            // A point by itself is seen as the round end of a line without length.
            out += "\(isOpen ? "L" : "M")\(number(point.x)) \(number(y))"
            if !isOpen { out += "h0" }
            isOpen = true
        }
        return out
    }
}
