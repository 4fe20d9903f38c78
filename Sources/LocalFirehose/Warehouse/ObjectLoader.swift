import CJSON
import Glibc
import Platform

/// Loads one object in slices, within one transaction that its owner commits.
final class ObjectLoader {
    enum Progress { case more, done }

    private(set) var rows = 0
    private(set) var rejected = 0
    private let object: String
    private let destination: Warehouse.Destination
    private let warehouse: Warehouse
    private let reader: ObjectReader
    private var line = 0
    /// The line being read is over the limit: it is rejected, and skipped to its end.
    private var isSkipping = false
    private var isAtEnd = false

    ///     0 ..< consumed          lines already loaded
    ///     consumed ..< filled     inflated, not yet loaded
    ///     filled ..< capacity     free, plus CJSON_PADDING bytes behind
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var consumed = 0
    private var filled = 0

    private static let pieceBytes = 64 << 10
    private static let padding = Int(CJSON_PADDING)

    /// Begins the transaction. The object's name in the warehouse is its key, not its path.
    init(
        path: String, object: String, destination: Warehouse.Destination, warehouse: Warehouse
    ) throws {
        reader = try ObjectReader(path: path)
        self.object = object
        self.destination = destination
        self.warehouse = warehouse
        buffer = Self.room(2 * Self.pieceBytes)
        try warehouse.begin()
    }

    deinit { buffer.deallocate() }

    private static func room(_ capacity: Int) -> UnsafeMutableRawBufferPointer {
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: capacity + padding, alignment: 64)
        memset(room.baseAddress!, 0, room.count)
        return room
    }

    /// Loads some lines: at most what one piece of the object holds.
    func step(linesMax: Int = 64) throws -> Progress {
        var lines = 0
        while lines < linesMax {
            guard let end = nextNewline() else {
                if isAtEnd { return try finish() }
                try refill()
                return .more
            }
            try load(UnsafeRawBufferPointer(rebasing: buffer[consumed..<end]))
            consumed = end + 1
            lines += 1
        }
        return .more
    }

    private func nextNewline() -> Int? {
        let base = buffer.baseAddress!
        guard let found = memchr(base + consumed, 0x0a, filled - consumed) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private func refill() throws {
        if isSkipping { consumed = filled }
        if consumed > 0 {
            memmove(buffer.baseAddress!, buffer.baseAddress! + consumed, filled - consumed)
            filled -= consumed
            consumed = 0
        }
        if filled > Loading.lineBytesMax {
            try reject(.init(column: nil, reason: "longer than 4 MiB"), unconsumed)
            isSkipping = true
            filled = 0
        }
        grow(toHold: filled + Self.pieceBytes)
        let free = UnsafeMutableRawBufferPointer(
            rebasing: buffer[filled..<filled + Self.pieceBytes])
        let count = try reader.read(into: free)
        isAtEnd = count == 0
        filled += count
    }

    private func grow(toHold byteCount: Int) {
        if byteCount <= buffer.count - Self.padding { return }
        let larger = Self.room(max(byteCount, 2 * buffer.count))
        memcpy(larger.baseAddress!, buffer.baseAddress!, filled)
        buffer.deallocate()
        buffer = larger
    }

    private var unconsumed: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[consumed..<filled])
    }

    private func load(_ text: UnsafeRawBufferPointer) throws {
        if isSkipping {
            isSkipping = false
            return
        }
        if isBlank(text) {
            line += 1
            return
        }
        if let rejection = try warehouse.insert(text, into: destination) {
            try reject(rejection, text)
        } else {
            line += 1
            rows += 1
        }
    }

    private func reject(
        _ rejection: RowInserter.Rejection, _ text: UnsafeRawBufferPointer
    ) throws {
        line += 1
        rejected += 1
        if rejected > Loading.errorsPerObjectMax { return }
        try warehouse.recordError(
            object: object, destination: destination, line: line, rejection, raw: text)
    }

    private func isBlank(_ text: UnsafeRawBufferPointer) -> Bool {
        text.allSatisfy { $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }
    }

    /// The last line may lack its newline.
    private func finish() throws -> Progress {
        if consumed < filled { try load(unconsumed) }
        consumed = filled
        try warehouse.recordLoaded(
            object: object, destination: destination, rows: rows, rejected: rejected)
        return .done
    }

    /// The object cannot be read: that is its one error, and it counts as loaded.
    func giveUp(_ flaw: ObjectFlaw) throws {
        try reject(
            .init(column: nil, reason: flaw.reason),
            UnsafeRawBufferPointer(rebasing: unconsumed.prefix(0)))
        try warehouse.recordLoaded(
            object: object, destination: destination, rows: rows, rejected: rejected)
    }
}
