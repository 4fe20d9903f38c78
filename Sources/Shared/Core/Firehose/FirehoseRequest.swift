/// What every call says of itself; `FirehoseCallHead` writes it.
public enum FirehoseRequest {
    public static let contentType = "application/x-amz-json-1.1"
    public static let targetPrefix = "Firehose_20150804."
    public static let service = "firehose"
}
