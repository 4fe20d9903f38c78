import Foundation

extension RunResult {
    /// The percentile spectrum in HdrHistogram's own text format (`.hgrm`), which its plotter and
    /// its libraries read. Values are milliseconds. One distribution a file, as the format has it:
    /// response and service time go to two.
    func hgrm(_ latency: LoadBoard.Latency) -> String {
        switch latency {
        case .response: Hgrm(response).text
        case .service: Hgrm(service).text
        case .schedule: Hgrm(schedule).text
        }
    }
}

/// Percentile spectra as text.
struct Hgrm {
    private let distribution: LatencyDistribution

    init(_ cells: LatencyCells) { distribution = LatencyDistribution(cells) }

    /// Byte for byte what the library writes, but for counts beyond 2^31, which it cuts.
    var text: String { (header + lines + footer).joined(separator: "\n") + "\n" }

    var header: [String] {
        [
            "\(padded("Value", 12)) \(padded("Percentile", 14)) \(padded("TotalCount", 10)) "
                + "1/(1-Percentile)", "",
        ]
    }

    var lines: [String] {
        distribution.spectrum().map { step in
            let value = padded(milliseconds(Double(step.microseconds)), 12)
            let quantile = fixed(step.quantile, 12)
            let line = "\(value) \(quantile) \(padded(String(step.count), 10))"
            // At 1 the last column would be infinite: the format leaves it out.
            guard step.quantile < 1 else { return line }
            return line + " " + padded(fixed(1 / (1 - step.quantile), 2), 14)
        }
    }

    var footer: [String] {
        let mean = padded(milliseconds(distribution.mean), 12)
        let deviation = padded(milliseconds(distribution.standardDeviation), 12)
        let maximum = padded(milliseconds(Double(distribution.maximum)), 12)
        // What the library's histogram of three digits up to ten minutes has.
        return [
            "#[Mean    = \(mean), StdDeviation   = \(deviation)]",
            "#[Max     = \(maximum), Total count    = \(padded(String(distribution.total), 12))]",
            "#[Buckets = \(padded("20", 12)), SubBuckets     = \(padded("2048", 12))]",
        ]
    }

    private func milliseconds(_ microseconds: Double) -> String {
        fixed(microseconds / 1000, 3)
    }

    /// As C rounds, for the sake of the bytes.
    private func fixed(_ value: Double, _ decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
