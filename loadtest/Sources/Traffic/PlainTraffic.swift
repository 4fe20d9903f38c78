/// The same request every time: the URL, method, headers and body as given.
struct PlainTraffic: ~Copyable {
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
        let start = "\(plan.method) \(target.path)"
        let texts =
            plan.ledger == nil
            ? (start + (target.query.map { "?" + $0 } ?? "") + after, "")
            : ("\(start)?\(HitLabel.parameter)=", target.queryTail + after)
        try RequestMaker.checkSize(
            texts.0.utf8.count + HitLabel.textBytes + texts.1.utf8.count + plan.body.count,
            of: "the request", hint: "make headers and body smaller")
        head = store.keep(texts.0)
        tail = store.keep(texts.1)
        body = store.keep(plan.body)
        run = plan.run
        isLabelled = plan.ledger != nil
        answerHasNoBody = plan.method == "HEAD"
    }

    @inline(__always)
    func write(
        _ sequence: UInt64, to start: UnsafeMutablePointer<UInt8>
    ) -> RequestMaker.Request {
        var out = RequestWriter(start)
        out.appendLong(head)
        if isLabelled {
            out.append(HitLabel(run: run, sequence: sequence))
            out.appendLong(tail)
        }
        if body.count > 0 { out.appendLong(body) }
        return RequestMaker.Request(
            byteCount: out.at - start, answerHasNoBody: answerHasNoBody)
    }
}
