import Glibc

/// An access log in memory, with an index of the requests that can be sent again.
///
/// Read once and never changed: threads may share it.
final class ReplayLog: @unchecked Sendable {
    static let fileBytesMax = 2 << 30
    static let linesMax = 50_000_000

    /// Lines that are not sent.
    struct Skipped: Equatable {
        /// Not of the common or combined format; empty requests (`"-" 408`) too.
        var malformed = 0
        /// Neither GET nor HEAD: the log has no body to send.
        var method = 0
        /// Targets that are no /path, spaces or controls in one, fields over 8 KiB.
        var unsendable = 0

        var total: Int { malformed + method + unsendable }
    }

    /// Where a request's fields lie in the file.
    struct Entry: BitwiseCopyable {
        /// Seconds since the first request.
        var due: Double
        var targetAt: UInt32
        var targetBytes: UInt16
        /// From the target on.
        var refererAt: UInt16
        var refererBytes: UInt16
        var agentAt: UInt16
        var agentBytes: UInt16
        var isHead: Bool
    }

    let path: String
    /// Requests that are sent; at least one.
    let count: Int
    /// From the first to the end of the last one's second, as recorded.
    let seconds: Double
    let lines: Int
    let skipped: Skipped
    let bytes: UnsafeMutablePointer<UInt8>
    let entries: UnsafeMutablePointer<Entry>
    let longest: Entry

    init(path: String) throws(TrafficFlaw) {
        let file = try LogFile(path)
        var index = LogIndex(file.bytes, file.count)
        do throws(TrafficFlaw) {
            try index.build(path)
        } catch {
            file.bytes.deallocate()
            throw error
        }
        self.path = path
        bytes = file.bytes
        count = index.entries.count
        entries = .allocate(capacity: index.entries.count)
        entries.initialize(from: index.entries, count: index.entries.count)
        seconds = index.seconds
        lines = index.lines
        skipped = index.skipped
        longest = index.longest
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
    }

    /// When request `sequence` is due at so many times the recorded speed. After the last request
    /// the log begins again.
    func dueSeconds(ofRequest sequence: UInt64, pace: Double = 1) -> Double {
        let (round, index) = sequence.quotientAndRemainder(dividingBy: UInt64(count))
        return (Double(round) * seconds + entries[Int(index)].due) / pace
    }
}

/// The bytes of a regular file; the caller frees them.
private struct LogFile {
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ path: String) throws(TrafficFlaw) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw TrafficFlaw(
                "\(path) cannot be read: \(String(cString: strerror(errno)))",
                hint: "--replay names an access log")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TrafficFlaw(
                "\(path) is no regular file", hint: "write the log to a file, and name that")
        }
        let size = Int(status.st_size)
        guard size <= ReplayLog.fileBytesMax else {
            throw TrafficFlaw(
                "\(path) has \(size >> 20) MiB; at most \(ReplayLog.fileBytesMax >> 20) MiB are read",
                hint: "take a part: head -n 5000000 \(path) > part.log")
        }
        // Copied, not mapped: a mapped file that is cut meanwhile ends the process.
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: size + 1)
        var filled = 0
        while filled < size {
            let got = read(descriptor, room + filled, size - filled)
            if got < 0, errno == EINTR { continue }
            if got < 0 {
                let reason = String(cString: strerror(errno))
                room.deallocate()
                throw TrafficFlaw("\(path) cannot be read: \(reason)", hint: "check its disk")
            }
            if got == 0 { break }
            filled += got
        }
        if filled >= 2, room[0] == 0x1f, room[1] == 0x8b {
            room.deallocate()
            throw TrafficFlaw(
                "\(path) is compressed", hint: "gunzip -c \(path) > access.log")
        }
        (bytes, count) = (room, filled)
    }
}

/// Reads a log's lines.
private struct LogIndex {
    private let bytes: UnsafeMutablePointer<UInt8>
    private let byteCount: Int
    var entries: [ReplayLog.Entry] = []
    var lines = 0
    var skipped = ReplayLog.Skipped()
    var seconds = 0.0
    var longest = ReplayLog.Entry(
        due: 0, targetAt: 0, targetBytes: 0, refererAt: 0, refererBytes: 0, agentAt: 0,
        agentBytes: 0, isHead: false)
    private var firstMalformed: Int?

    init(_ bytes: UnsafeMutablePointer<UInt8>, _ byteCount: Int) {
        self.bytes = bytes
        self.byteCount = byteCount
    }

    mutating func build(_ path: String) throws(TrafficFlaw) {
        var at = 0
        while at < byteCount {
            let left = byteCount - at
            let end = memchr(bytes + at, 10, left).map {
                UnsafeRawPointer($0) - UnsafeRawPointer(bytes)
            }
            let next = end ?? byteCount
            lines += 1
            if lines > ReplayLog.linesMax {
                throw TrafficFlaw(
                    "\(path) has more than \(ReplayLog.linesMax) lines",
                    hint: "take a part: head -n \(ReplayLog.linesMax) \(path) > part.log")
            }
            var count = next - at
            if count > 0, bytes[at + count - 1] == 13 { count -= 1 }
            read(at, count)
            at = next + 1
        }
        guard !entries.isEmpty else { throw nothingFound(path) }
        setTimes()
    }

    private func nothingFound(_ path: String) -> TrafficFlaw {
        if lines == 0 { return TrafficFlaw("\(path) is empty", hint: "name another access log") }
        if let firstMalformed {
            return TrafficFlaw(
                "\(path):\(firstMalformed): not a line of the common or combined log format, and no"
                    + " other line can be sent",
                hint: "HOST - - [10/Oct/2026:13:55:36 +0000] \"GET /p.gif HTTP/1.1\" 200 43")
        }
        return TrafficFlaw(
            "none of the \(lines) lines of \(path) can be sent",
            hint: "\(skipped.method) have another method than GET and HEAD, \(skipped.unsendable)"
                + " a target that is no /path, is too long, or holds spaces or controls")
    }

    private mutating func read(_ at: Int, _ count: Int) {
        do throws(AccessLogLine.Flaw) {
            let line = try AccessLogLine(
                UnsafeMutableBufferPointer(start: bytes + at, count: count))
            try take(line)
        } catch {
            switch error {
            case .malformed:
                skipped.malformed += 1
                if firstMalformed == nil { firstMalformed = lines }
            case .method: skipped.method += 1
            case .unsendable: skipped.unsendable += 1
            }
        }
    }

    private mutating func take(_ line: AccessLogLine) throws(AccessLogLine.Flaw) {
        let target = line.target.baseAddress!
        func offset(_ field: UnsafeMutableBufferPointer<UInt8>) -> UInt16? {
            field.isEmpty ? 0 : UInt16(exactly: field.baseAddress! - target)
        }
        guard let refererAt = offset(line.referer), let agentAt = offset(line.userAgent) else {
            throw .unsendable
        }
        entries.append(
            ReplayLog.Entry(
                due: Double(line.seconds), targetAt: UInt32(target - bytes),
                targetBytes: UInt16(line.target.count), refererAt: refererAt,
                refererBytes: UInt16(line.referer.count), agentAt: agentAt,
                agentBytes: UInt16(line.userAgent.count), isHead: line.isHead))
        longest.targetBytes = max(longest.targetBytes, UInt16(line.target.count))
        longest.refererBytes = max(longest.refererBytes, UInt16(line.referer.count))
        longest.agentBytes = max(longest.agentBytes, UInt16(line.userAgent.count))
    }

    /// Seconds since the first. Lines tell whole seconds: those of one are spread over it, in their
    /// order. Servers log at a request's end with the time of its start, so lines may be out of
    /// order.
    private mutating func setTimes() {
        let isInOrder = zip(entries, entries.dropFirst()).allSatisfy { $0.due <= $1.due }
        if !isInOrder {
            let order = entries.indices.sorted {
                (entries[$0].due, $0) < (entries[$1].due, $1)
            }
            entries = order.map { entries[$0] }
        }
        let start = entries[0].due
        var first = 0
        while first < entries.count {
            let second = entries[first].due
            var end = first + 1
            while end < entries.count, entries[end].due == second { end += 1 }
            for index in first..<end {
                entries[index].due =
                    second - start + Double(index - first) / Double(end - first)
            }
            seconds = second - start + 1
            first = end
        }
    }
}
