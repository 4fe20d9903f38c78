/// Requests of an access log: target, Referer and User-Agent as recorded, the rest as for a plain
/// URL. Whoever holds it holds the log as well.
struct ReplayTraffic: ~Copyable {
    private let bytes: UnsafePointer<UInt8>
    private let entries: UnsafePointer<ReplayLog.Entry>
    private let count: UInt64
    private let run: UInt32
    private let isLabelled: Bool
    private let get: Segment
    private let head: Segment
    private let label: Segment
    private let fields: Segment
    private let referer: Segment
    private let userAgent: Segment
    private let lineEnd: Segment
    private let sendsReferer: Bool
    private let sendsAgent: Bool

    init(_ log: ReplayLog, _ plan: LoadPlan, in store: inout ByteStore) throws(TrafficFlaw) {
        let headers = try RequestHeaders(plan)
        if plan.scenario != nil {
            throw TrafficFlaw(
                "a log is replayed as it is, without a scenario", hint: "leave out one of the two")
        }
        if plan.method != "GET" || !plan.body.isEmpty {
            throw TrafficFlaw(
                "a replayed log has its own methods and no bodies",
                hint: "leave out -m, -d and -D, or leave out --replay")
        }
        let longest = log.longest
        let logged =
            Int(longest.targetBytes) + Int(longest.refererBytes) + Int(longest.agentBytes)
        let own = headers.text([])
        try RequestMaker.checkSize(
            logged + own.utf8.count + HitLabel.textBytes + 64,
            of: "a request of \(log.path)", hint: "make the headers of -H shorter")
        bytes = UnsafePointer(log.bytes)
        entries = UnsafePointer(log.entries)
        count = UInt64(log.count)
        run = plan.run
        isLabelled = plan.ledger != nil
        get = store.keep("GET ")
        head = store.keep("HEAD ")
        label = store.keep("?\(HitLabel.parameter)=")
        fields = store.keep(" HTTP/1.1\r\n" + own)
        referer = store.keep("Referer: ")
        userAgent = store.keep("User-Agent: ")
        lineEnd = store.keep("\r\n")
        sendsReferer = !headers.has("Referer")
        sendsAgent = !headers.has("User-Agent")
    }

    func write(
        _ sequence: UInt64, to start: UnsafeMutablePointer<UInt8>
    ) -> RequestMaker.Request {
        let entry = entries + Int(sequence % count)
        let target = bytes + Int(entry.pointee.targetAt)
        let targetBytes = Int(entry.pointee.targetBytes)
        let isHead = entry.pointee.isHead
        var out = RequestWriter(start)
        out.append(isHead ? head : get)
        if isLabelled {
            appendLabelled(target, targetBytes, sequence, &out)
        } else {
            append(target, targetBytes, &out)
        }
        out.appendLong(fields)
        if sendsReferer, entry.pointee.refererBytes > 0 {
            out.append(referer)
            append(target + Int(entry.pointee.refererAt), Int(entry.pointee.refererBytes), &out)
            out.append(lineEnd)
        }
        if sendsAgent, entry.pointee.agentBytes > 0 {
            out.append(userAgent)
            append(target + Int(entry.pointee.agentAt), Int(entry.pointee.agentBytes), &out)
            out.append(lineEnd)
        }
        out.append(lineEnd)
        return RequestMaker.Request(byteCount: out.at - start, answerHasNoBody: isHead)
    }

    /// The label becomes the first parameter.
    @inline(__always)
    private func appendLabelled(
        _ target: UnsafePointer<UInt8>, _ targetBytes: Int, _ sequence: UInt64,
        _ out: inout RequestWriter
    ) {
        var pathBytes = 0
        while pathBytes < targetBytes, target[pathBytes] != UInt8(ascii: "?") { pathBytes += 1 }
        append(target, pathBytes, &out)
        out.append(label)
        out.append(HitLabel(run: run, sequence: sequence))
        // After the question mark, if there is anything.
        if pathBytes + 1 < targetBytes {
            out.append(UInt8(ascii: "&"))
            append(target + pathBytes + 1, targetBytes - pathBytes - 1, &out)
        }
    }

    /// Of the log, whose bytes end where the file does.
    @inline(__always)
    private func append(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ out: inout RequestWriter
    ) {
        out.at.update(from: bytes, count: count)
        out.at += count
    }
}
