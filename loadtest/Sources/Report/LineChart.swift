/// Lines over time or over percentiles, as inline SVG. Each line bears its name where it ends, so no
/// one has to match colours with a legend.
struct LineChart {
    struct Series {
        var name: String
        /// A class of the style sheet: "c0" … "c5" tell things apart, "q0" … "q4" have an order.
        var style: String
        var points: [ChartPoint]
        var isWide = false
    }

    /// How an axis is divided and written.
    struct Axis {
        var isLog = false
        var ticks: [Double]
        /// Where the axis begins and ends, if not at its first and last tick.
        var ends: ClosedRange<Double>?
        var text: (Double) -> String
        /// What is measured, and the unit if the numbers do not say it.
        var title: String
    }

    var title: String
    /// For those who do not see it: what it shows and the figures that matter.
    var description: String
    var series: [Series]
    var x: Axis
    var y: Axis
    /// Writes the greatest value at its place.
    var peakText: ((Double) -> String)?

    private static let width = 1000.0
    private static let height = 300.0
    private static let left = 66.0
    private static let right = 862.0
    private static let top = 26.0
    private static let bottom = 262.0

    var svg: String {
        let horizontal = ChartScale(
            x.ticks.first ?? 0, xEnd, isLog: x.isLog, from: Self.left, to: Self.right)
        let vertical = ChartScale(
            y.ends?.lowerBound ?? y.ticks.first ?? 0, y.ends?.upperBound ?? y.ticks.last ?? 1,
            isLog: y.isLog, from: Self.bottom, to: Self.top)
        return "<svg class=\"chart\" viewBox=\"0 0 1000 300\" role=\"img\">"
            + "<title>\(escapedHTML(title))</title><desc>\(escapedHTML(description))</desc>\n"
            + grid(horizontal, vertical) + lines(horizontal, vertical)
            + peak(horizontal, vertical) + labels(horizontal, vertical) + "</svg>\n"
    }

    private var xEnd: Double {
        max(x.ticks.last ?? 1, series.compactMap { $0.points.last?.x }.max() ?? 1)
    }

    private func grid(_ horizontal: ChartScale, _ vertical: ChartScale) -> String {
        var out = ""
        for tick in y.ticks {
            out += SVG.line(Self.left, vertical(tick), Self.right, vertical(tick), "grid")
            out += SVG.text(
                y.text(tick), x: Self.left - 8, y: vertical(tick) + 4, "tick", anchor: "end")
        }
        for tick in x.ticks {
            let place = horizontal(tick)
            out += SVG.line(place, Self.bottom, place, Self.bottom + 4, "axis")
            out += SVG.text(x.text(tick), x: place, y: Self.bottom + 19, "tick", anchor: "middle")
        }
        out += SVG.line(Self.left, Self.bottom, Self.right, Self.bottom, "axis")
        out += SVG.text(y.title, x: 0, y: 12, "unit")
        return out
            + SVG.text(x.title, x: Self.right, y: Self.bottom + 36, "unit", anchor: "end")
    }

    private func lines(_ horizontal: ChartScale, _ vertical: ChartScale) -> String {
        var out = ""
        for line in series {
            let points = Downsampling.reduced(line.points).map {
                (x: horizontal($0.x), y: $0.y.map { vertical($0) })
            }
            let name = "line \(line.style)\(line.isWide ? " wide" : "")"
            out += "<path class=\"\(name)\" d=\"\(SVG.path(points))\"/>\n"
        }
        return out
    }

    private func peak(_ horizontal: ChartScale, _ vertical: ChartScale) -> String {
        let points = series.flatMap { line in line.points.filter { $0.y != nil } }
        guard let peakText, let most = points.max(by: { $0.y! < $1.y! }), most.y! > 0 else {
            return ""
        }
        let place = (x: horizontal(most.x), y: vertical(most.y!))
        let isRight = place.x > Self.right - 190
        return "<circle class=\"peak\" cx=\"\(SVG.number(place.x))\" "
            + "cy=\"\(SVG.number(place.y))\" r=\"3.5\"/>\n"
            + SVG.text(
                "\(peakText(most.y!)) at \(x.text(most.x))", x: place.x + (isRight ? -9 : 9),
                y: max(place.y - 3, Self.top - 8), "note", anchor: isRight ? "end" : "start")
    }

    /// Names at the ends of lines, pushed apart where they would cover one another.
    private func labels(_ horizontal: ChartScale, _ vertical: ChartScale) -> String {
        let step = 16.0
        var marks: [(series: Series, end: (x: Double, y: Double), y: Double)] = []
        for line in series {
            guard let last = line.points.last(where: { $0.y != nil }) else { continue }
            let end = (x: horizontal(last.x), y: vertical(last.y!))
            marks.append((line, end, end.y))
        }
        marks.sort { $0.y < $1.y }
        for place in marks.indices.dropFirst() {
            marks[place].y = max(marks[place].y, marks[place - 1].y + step)
        }
        var limit = Self.bottom
        for place in marks.indices.reversed() {
            marks[place].y = min(marks[place].y, limit)
            limit = marks[place].y - step
        }
        return marks.map { mark in
            let start = SVG.number(Self.right + 6)
            let leader =
                "M\(start) \(SVG.number(mark.end.y))L\(SVG.number(Self.right + 18)) "
                + "\(SVG.number(mark.y))h10"
            return "<path class=\"leader \(mark.series.style)\" d=\"\(leader)\"/>\n"
                + SVG.text(mark.series.name, x: Self.right + 33, y: mark.y + 4, "label")
        }.joined()
    }
}
