/// Bounds that several parts agree on and that no setting changes.
public enum Limits {
    /// A request line and its header fields, together.
    public static let requestHeadBytesMax = 16 << 10
    public static let headerFieldsMax = 100
    /// One frame between router and worker. A request head is smaller, so any hit fits.
    public static let frameHitsMax = 256
    public static let frameBytesMax = 64 << 10
    /// Answers a connection may wait for before it is no longer read.
    public static let pipelinedAnswersMax = 64
    public static let pendingAnswerBytesMax = 64 << 10
    /// What a router holds of frames that no worker has acknowledged: for one worker, and in all.
    public static let windowBytesPerWorkerMax = 4 << 20
    public static let windowBytesMax = 32 << 20
    /// Routers that may ever live at once, workers likewise: sizes the counter file.
    public static let routersMax = 64
    public static let workersMax = 256
    /// Firehose: a record before base64, a call's records and raw bytes (PutRecordBatch reference).
    public static let firehoseRecordBytesMax = 1_024_000
    public static let firehoseCallRecordsMax = 500
    public static let firehoseCallBytesMax = 4_096_000
}
