/// What a Firehose stream takes in a second, put calls together: AWS's defaults. They are raised on
/// request, all three in proportion.
public struct StreamQuota: Equatable, Sendable {
    /// Of raw data, before base64 and before the rounding of the bill.
    public var bytesPerSecond: Int
    public var recordsPerSecond: Int
    public var callsPerSecond: Int

    public init(bytesPerSecond: Int, recordsPerSecond: Int, callsPerSecond: Int) {
        self.bytesPerSecond = bytesPerSecond
        self.recordsPerSecond = recordsPerSecond
        self.callsPerSecond = callsPerSecond
    }

    /// Of the three regions with five times the others' bytes.
    private static let large = StreamQuota(
        bytesPerSecond: 5 << 20, recordsPerSecond: 500_000, callsPerSecond: 2000)
    private static let other = StreamQuota(
        bytesPerSecond: 1 << 20, recordsPerSecond: 100_000, callsPerSecond: 1000)

    public static func of(region: String) -> StreamQuota {
        ["us-east-1", "us-west-2", "eu-west-1"].contains(region) ? large : other
    }

    /// One of several workers' share of a stream that they write to together.
    public func divided(by workers: Int) -> StreamQuota {
        let workers = max(1, workers)
        return StreamQuota(
            bytesPerSecond: max(1, bytesPerSecond / workers),
            recordsPerSecond: max(1, recordsPerSecond / workers),
            callsPerSecond: max(1, callsPerSecond / workers))
    }

    /// A quota of so many bytes, the other two in proportion.
    public func raised(toBytesPerSecond bytes: Int) -> StreamQuota {
        let factor = Double(bytes) / Double(bytesPerSecond)
        return StreamQuota(
            bytesPerSecond: bytes,
            recordsPerSecond: max(1, Int((Double(recordsPerSecond) * factor).rounded(.down))),
            callsPerSecond: max(1, Int((Double(callsPerSecond) * factor).rounded(.down))))
    }
}
