import Glibc
import Platform

/// Appends entries to a ledger, for one thread. Any number of them, in any number of processes,
/// append to the same file at once: each writes whole blocks, at the end, with one call.
///
/// When the disk refuses, the writer keeps the errno and writes no more: a ledger with a gap would
/// only be noticed later, and the run is told at once (`LoadCounter.ledgerErrno`).
struct LedgerWriter: ~Copyable {
    static let bufferBytes = 64 << 10

    private let file: Int32
    private let buffer: UnsafeMutableRawPointer
    private var filled = 0
    /// Why nothing is written any more; 0 while all is well.
    private(set) var failedErrno: Int32 = 0

    /// The file was made by `LedgerFile.create`.
    init(path: String) throws(LedgerFailure) {
        self.init(takingOver: try LedgerFile.openToAppend(path: path))
    }

    init(takingOver file: Int32) {
        self.file = file
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
    }

    /// What is not flushed by then is lost.
    deinit {
        closeDescriptor(file)
        buffer.deallocate()
    }

    @inline(__always)
    mutating func append(_ entry: LedgerEntry) {
        entry.write(to: buffer + filled)
        filled &+= LedgerEntry.byteCount
        if filled == Self.bufferBytes { flush() }
    }

    /// Hands everything to the kernel: when a block is full, now and then, and at the end.
    @inline(never)
    mutating func flush() {
        var done = 0
        while done < filled, failedErrno == 0 {
            let count = write(file, buffer + done, filled - done)
            if count > 0 {
                // A part only, where the disk is nearly full: another's block may come between, and
                // the reader finds its way.
                done += count
            } else if count == 0 {
                failedErrno = ENOSPC
            } else if errno != EINTR {
                failedErrno = errno
            }
        }
        filled = 0
    }
}
