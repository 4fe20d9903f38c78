import ArgumentParser

/// A duration on the command line: digits and a unit, "500ms", "180s", "5m", "1h".
struct DurationArgument: ExpressibleByArgument, Equatable {
    var milliseconds: UInt64

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let factors: [Substring: UInt64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
        guard let value = UInt64(digits), let factor = factors[argument[digits.endIndex...]] else {
            return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        guard !overflow, product <= ControlRequest.flushTimeoutMsMax else { return nil }
        milliseconds = product
    }

    var defaultValueDescription: String { "\(milliseconds / 1000)s" }
}
