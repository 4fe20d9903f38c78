/// Makes the requests of a plan. The bytes of request `sequence` follow from plan, seed and sequence
/// alone, whichever thread sends it, so any of them can be made again.
struct RequestMaker {
    /// No request is longer.
    static let bytesMax = 64 << 10

    /// What the sender must know of a request besides its bytes.
    struct Request {
        var byteCount: Int
        /// The answer has no body, whatever its Content-Length says (HEAD).
        var answerHasNoBody: Bool
    }

    private let head: [UInt8]

    init(_ plan: LoadPlan) {
        head = Array(
            "GET \(plan.target.path) HTTP/1.1\r\nHost: \(plan.target.authority)\r\n\r\n".utf8)
    }

    /// Writes the request at `out`, where `bytesMax` bytes are free.
    mutating func write(
        _ sequence: UInt64, to out: UnsafeMutablePointer<UInt8>
    ) -> Request {
        head.withUnsafeBufferPointer { out.update(from: $0.baseAddress!, count: $0.count) }
        return Request(byteCount: head.count, answerHasNoBody: false)
    }

    /// After how many requests connection `ordinal` (0, 1, 2 … of its thread) closes; nil: never.
    func requestsOfConnection(_ ordinal: UInt64, thread: Int) -> Int? { nil }
}
