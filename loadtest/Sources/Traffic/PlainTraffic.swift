/// The same request every time: the URL, method, headers and body as given.
struct PlainTraffic {
    /// Up to where the label goes, and after it. Without labels all is in `head`.
    private let head: Segment
    private let tail: Segment
    private let body: Segment
    private let run: UInt32
    private let isLabelled: Bool
    private let answerHasNoBody: Bool

    init(_ plan: LoadPlan, in store: inout ByteStore) throws(TrafficFlaw) {
        guard !plan.method.isEmpty, plan.method.utf8.allSatisfy(isTokenByte) else {
            throw TrafficFlaw(
                "\"\(plan.method)\" is no method", hint: "write -m GET, HEAD, POST, PUT …")
        }
        let headers = try RequestHeaders(plan)
        let target = try TargetParts(plan.target.path)
        let hasBody = !plan.body.isEmpty || ["POST", "PUT", "PATCH"].contains(plan.method)
        let length = hasBody ? "Content-Length: \(plan.body.count)\r\n" : ""
        let after =
            " HTTP/1.1\r\n" + headers.text([("User-Agent", RequestMaker.userAgent)]) + length
            + "\r\n"
        isLabelled = plan.ledger != nil
        run = plan.run
        answerHasNoBody = plan.method == "HEAD"
        let start = "\(plan.method) \(target.path)"
        if isLabelled {
            head = store.keep("\(start)?\(HitLabel.parameter)=")
            tail = store.keep(target.queryTail + after)
        } else {
            head = store.keep(start + (target.query.map { "?" + $0 } ?? "") + after)
            tail = store.keep("")
        }
        body = store.keep(plan.body)
        try RequestMaker.checkSize(
            head.count + HitLabel.textBytes + tail.count + body.count,
            of: "the request", hint: "make headers and body smaller")
    }

    @inline(__always)
    func write(
        _ sequence: UInt64, to start: UnsafeMutablePointer<UInt8>
    ) -> RequestMaker.Request {
        var out = RequestWriter(start)
        out.append(head)
        if isLabelled {
            out.append(HitLabel(run: run, sequence: sequence))
            out.append(tail)
        }
        if body.count > 0 { out.append(body) }
        return RequestMaker.Request(
            byteCount: out.at - start, answerHasNoBody: answerHasNoBody)
    }
}
