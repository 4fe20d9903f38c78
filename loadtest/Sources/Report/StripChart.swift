/// Bars by second in strips below one another, each with a scale of its own: a few errors stay
/// visible beside thousands of answers. A strip where nothing happened says so.
struct StripChart {
    struct Strip {
        var name: String
        var style: String
        /// By second; x is where the second begins.
        var points: [ChartPoint]
        /// What stands at the right: a total, a peak.
        var summary: String
        /// Below the name.
        var note = ""
    }

    var title: String
    var description: String
    var strips: [Strip]
    /// Seconds that the strips are wide.
    var length: Double

    private static let left = 176.0
    private static let right = 808.0
    private static let step = 54.0
    private static let barHeight = 38.0
    private static let barsMost = 316

    var svg: String {
        let bottom = 8 + Self.step * Double(strips.count)
        let scale = ChartScale(0, max(length, 1), from: Self.left, to: Self.right)
        var out =
            "<svg class=\"chart\" viewBox=\"0 0 1000 \(SVG.number(bottom + 34))\" role=\"img\">"
            + "<title>\(escapedHTML(title))</title><desc>\(escapedHTML(description))</desc>\n"
        for (place, strip) in strips.enumerated() {
            out += drawn(strip, top: 8 + Self.step * Double(place), scale)
        }
        for tick in ChartTicks.time(to: length) {
            out += SVG.line(scale(tick), bottom, scale(tick), bottom + 4, "axis")
            out += SVG.text(
                ChartTicks.timeText(tick, of: length), x: scale(tick), y: bottom + 19, "tick",
                anchor: "middle")
        }
        return out + SVG.line(Self.left, bottom, Self.right, bottom, "axis") + "</svg>\n"
    }

    private func drawn(_ strip: Strip, top: Double, _ scale: ChartScale) -> String {
        let base = top + Self.barHeight + 6
        var out = SVG.text(strip.name, x: 0, y: top + 24, "label strong")
        out += SVG.text(strip.note, x: 0, y: top + 39, "note")
        out += SVG.line(Self.left, base, Self.right, base, "grid")
        let most = strip.points.compactMap(\.y).max() ?? 0
        out += SVG.text(strip.summary, x: Self.right + 16, y: top + 34, most > 0 ? "label" : "note")
        guard most > 0 else { return out }
        return out
            + "<path class=\"bars \(strip.style)\" d=\"\(bars(strip, most, base, scale))\"/>\n"
    }

    private func bars(
        _ strip: Strip, _ most: Double, _ base: Double, _ scale: ChartScale
    ) -> String {
        let points = Downsampling.peaks(strip.points, to: Self.barsMost)
        let width = (Self.right - Self.left) / max(length, 1)
        let stretch = Double(max(1, (strip.points.count + points.count - 1) / max(1, points.count)))
        // A gap between bars, while they are wide enough for one.
        let bar = max(width * stretch - (width * stretch > 5 ? 1.5 : 0), 1)
        return points.map { point in
            guard let value = point.y, value > 0 else { return "" }
            // What happened at all is at least a line.
            let height = max(value / most * Self.barHeight, 1)
            return "M\(SVG.number(scale(point.x))) \(SVG.number(base))v\(SVG.number(-height))"
                + "h\(SVG.number(bar))v\(SVG.number(height))z"
        }.joined()
    }
}
