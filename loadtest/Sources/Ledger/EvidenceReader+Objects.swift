import CZlib
import Platform

/// Objects as Firehose writes them to S3, and other files of rows.
extension EvidenceReader {
    /// Firehose puts below such a prefix what it could not transform, convert or deliver.
    private static let errorPrefixes: Set<Substring> = [
        "processing-failed", "format-conversion-failed", "http-endpoint-failed",
        "elasticsearch-failed", "AmazonOpenSearchService_failed", "splunk-failed", "errors",
    ]

    func readObjects(_ folder: String) {
        var count = 0
        FileKind.walk(folder) { path, _ in
            count += 1
            let parts = path.split(separator: "/").dropLast()
            if parts.contains(where: Self.errorPrefixes.contains) { errorObjects += 1 }
            readFile(path)
        } didFail: { path, failure in
            didFail(path, failure.reason)
        }
        if count == 0 { notes.append("\(folder) holds no objects") }
    }

    /// A file, told by its first bytes: an object, a warehouse, or an unloaded table.
    func readFile(_ path: String) {
        do throws(Failure) {
            let file = try Files.open(path)
            defer { Files.close(file) }
            guard isNew(file) else { return }
            let first = ByteRoom(byteCount: 64)
            let count = try Files.read(file, into: first.base, count: 64, at: 0)
            switch FileForm(first: UnsafeBufferPointer(start: first.base, count: count)) {
            case .gzip: try readGzip(file, path)
            case .lines: try readLines(file, path, .objects)
            case .table: try readLines(file, path, .warehouse)
            case .database: readWarehouse(path)
            case .unknown(let what):
                didFail(path, "\(what): gzip, lines of text and SQLite can be read")
            }
        } catch {
            didFail(path, error.reason)
        }
    }

    private func readLines(_ file: Int32, _ path: String, _ place: RowPlace) throws(Failure) {
        let room = ByteRoom(byteCount: 1 << 20)
        var scanner = RowScanner()
        var offset: UInt64 = 0
        let join = self.join
        while true {
            let got = try Files.read(file, into: room.base, count: room.byteCount, at: offset)
            if got == 0 { break }
            offset += UInt64(got)
            scanner.feed(UnsafeRawBufferPointer(start: room.base, count: got)) {
                join.take($0, from: place)
            }
            didRead(UInt64(got))
        }
        scanner.finish { join.take($0, from: place) }
        note(scanner, of: path)
    }

    private func readGzip(_ file: Int32, _ path: String) throws(Failure) {
        var reader = GzipReader(file: file)
        var scanner = RowScanner()
        let join = self.join
        var place = RowPlace.objects
        while let text = try reader.next() {
            if reader.isFirst, text.first != UInt8(ascii: "{") { place = .warehouse }
            scanner.feed(text) { join.take($0, from: place) }
            didRead(reader.takeBytesRead())
        }
        if let flaw = reader.flaw {
            // The line it breaks off in is no row.
            scanner.abandon()
            didFail(path, flaw)
        }
        scanner.finish { join.take($0, from: place) }
        note(scanner, of: path)
    }
}

/// What a file is, by its first bytes.
enum FileForm: Equatable {
    case gzip
    /// NDJSON: an object.
    case lines
    /// Other text: what UNLOAD wrote.
    case table
    case database
    case unknown(String)

    init(first bytes: UnsafeBufferPointer<UInt8>) {
        func begins(_ magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
        if begins([0x1F, 0x8B]) {
            self = .gzip
        } else if begins(Array("SQLite format 3".utf8)) {
            self = .database
        } else if begins([0x28, 0xB5, 0x2F, 0xFD]) {
            self = .unknown("compressed with zstd")
        } else if begins(Array("BZh".utf8)) {
            self = .unknown("compressed with bzip2")
        } else if begins(Array("PAR1".utf8)) {
            self = .unknown("Parquet")
        } else if bytes.contains(0) {
            self = .unknown("not text")
        } else {
            self = bytes.isEmpty || bytes[0] == UInt8(ascii: "{") ? .lines : .table
        }
    }
}

/// Inflates a gzip file in pieces, one member after the other.
struct GzipReader: ~Copyable {
    private static let inputBytes = 64 << 10
    private static let outputBytes = 256 << 10

    /// Why the text ends before its end; nil when all is well.
    private(set) var flaw: String?
    /// The piece given last is the first one.
    var isFirst: Bool { pieces == 1 }

    private let file: Int32
    /// On the heap: zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input = ByteRoom(byteCount: inputBytes)
    private let output = ByteRoom(byteCount: outputBytes)
    private var offset: UInt64 = 0
    private var bytesRead: UInt64 = 0
    private var pieces = 0
    private var isWithinMember = false
    private var isOver = false

    init(file: Int32) {
        self.file = file
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        precondition(zlibx_gunzip_init(stream) == Z_OK, "zlib has no memory")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Bytes of the file since last asked.
    mutating func takeBytesRead() -> UInt64 {
        defer { bytesRead = 0 }
        return bytesRead
    }

    /// The next piece, valid until the next call; nil at the end, or where `flaw` says why.
    mutating func next() throws(Failure) -> UnsafeRawBufferPointer? {
        stream.pointee.next_out = output.base
        stream.pointee.avail_out = UInt32(Self.outputBytes)
        while !isOver, stream.pointee.avail_out > 0 {
            if stream.pointee.avail_in == 0, try !readMore() { break }
            step()
        }
        let count = Self.outputBytes - Int(stream.pointee.avail_out)
        if count == 0 { return nil }
        pieces += 1
        return UnsafeRawBufferPointer(start: output.base, count: count)
    }

    private mutating func readMore() throws(Failure) -> Bool {
        let got = try Files.read(file, into: input.base, count: Self.inputBytes, at: offset)
        offset += UInt64(got)
        bytesRead += UInt64(got)
        stream.pointee.next_in = input.base
        stream.pointee.avail_in = UInt32(got)
        if got > 0 { return true }
        isOver = true
        if isWithinMember { flaw = "the gzip stream breaks off" }
        return false
    }

    private mutating func step() {
        let status = inflate(stream, Z_NO_FLUSH)
        isWithinMember = status != Z_STREAM_END
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: inflateReset(stream)
        default:
            isOver = true
            flaw =
                "damaged gzip: " + (stream.pointee.msg.map { String(cString: $0) } ?? "\(status)")
        }
    }
}
