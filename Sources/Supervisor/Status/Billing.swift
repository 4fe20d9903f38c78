import Core

/// What Firehose bills for the rows it took: each record counts as a multiple of 5,120 bytes. Of the
/// cluster's life so far.
struct Billing: Equatable {
    let rowBytes: UInt64
    let billedBytes: UInt64

    /// Nil while nothing was delivered.
    init?(_ counters: [(name: String, value: UInt64)]) {
        func value(_ counter: Counter) -> UInt64 {
            counters.first { $0.name == counter.snakeCaseName }?.value ?? 0
        }
        (rowBytes, billedBytes) = (value(.firehoseRowBytes), value(.firehoseBilledBytes))
        if rowBytes == 0 { return nil }
    }

    /// What is billed beyond the rows, in percent of them.
    var overheadPercent: Double {
        (Double(billedBytes) / Double(rowBytes) - 1) * 100
    }

    /// "0.42".
    var overheadText: String {
        let hundredths = Int((overheadPercent * 100).rounded())
        let fraction = hundredths.magnitude % 100
        return (hundredths < 0 ? "-" : "") + "\(hundredths.magnitude / 100)."
            + (fraction < 10 ? "0" : "") + "\(fraction)"
    }
}
