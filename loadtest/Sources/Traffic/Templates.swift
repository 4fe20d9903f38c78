import Core

/// Several `NumberTemplate`s, laid flat; each is as likely as the other.
struct Templates {
    private struct Part: BitwiseCopyable {
        var bytes: UnsafePointer<UInt8>
        var count: Int
        var low: UInt32
        /// 0: no number follows.
        var span: UInt32
    }

    private struct Run: BitwiseCopyable {
        var first: Int32
        var count: Int32
    }

    private let parts: UnsafePointer<Part>
    private let runs: UnsafePointer<Run>
    private let count: UInt32
    let bytesMax: Int

    /// `prefix` and `suffix` go around each; `encode` is applied to what is between its numbers.
    init(
        _ texts: [String], prefix: String = "", suffix: String = "",
        encode: (String) -> String = { $0 }, in store: inout ByteStore
    ) throws(TrafficFlaw) {
        var parts: [Part] = []
        var runs: [Run] = []
        var bytesMax = 0
        for text in texts {
            guard var template = NumberTemplate(text)?.parts else {
                throw TrafficFlaw(
                    "\"\(text)\" has braces that hold no numbers",
                    hint: "{10-99} is a number from 10 to 99")
            }
            let first = parts.count
            template = template.map { .init(literal: encode($0.literal), numbers: $0.numbers) }
            template[0].literal = prefix + template[0].literal
            template.append(.init(literal: suffix, numbers: nil))
            for part in template where !part.literal.isEmpty || part.numbers != nil {
                let segment = store.keep(part.literal)
                let numbers = part.numbers
                parts.append(
                    Part(
                        bytes: segment.bytes, count: segment.count, low: numbers?.lowerBound ?? 0,
                        span: numbers.map { $0.upperBound - $0.lowerBound + 1 } ?? 0))
            }
            runs.append(Run(first: Int32(first), count: Int32(parts.count - first)))
            bytesMax = max(bytesMax, parts[first...].reduce(0) { $0 + $1.count + 10 })
        }
        count = UInt32(runs.count)
        self.parts = store.keepAll(parts)
        self.runs = store.keepAll(runs)
        self.bytesMax = bytesMax
    }

    /// One of them, with numbers drawn.
    @inline(__always)
    func append(_ draws: inout SplitMix64, to out: inout RequestWriter) {
        append(0..<count, &draws, to: &out)
    }

    /// One of some of them.
    @inline(__always)
    func append(
        _ some: Range<UInt32>, _ draws: inout SplitMix64, to out: inout RequestWriter
    ) {
        let index = some.lowerBound &+ draws.next().highHalf.below(UInt32(some.count))
        let run = runs[Int(index)]
        var part = parts + Int(run.first)
        let end = part + Int(run.count)
        while part < end {
            out.appendLong(Segment(bytes: part.pointee.bytes, count: part.pointee.count))
            let start = out.at
            out.append(part.pointee.low &+ draws.next().highHalf.below(part.pointee.span))
            out.keep(part.pointee.span > 0, from: start)
            part += 1
        }
    }
}
