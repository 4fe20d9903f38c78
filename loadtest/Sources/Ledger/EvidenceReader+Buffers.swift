import Core
import Platform

/// What the local Firehose has accepted and not yet made an object of.
extension EvidenceReader {
    func readStreams(_ folder: String) {
        for stream in FileKind.folders(in: folder).sorted() {
            let path = "\(folder)/\(stream)"
            do throws(Failure) {
                for entry in try Files.list(path)
                where entry.isRegular && entry.name.hasPrefix("buffer-") {
                    readBuffer("\(path)/\(entry.name)")
                }
            } catch {
                didFail(path, error.reason)
            }
        }
    }

    /// A frame that is not whole was answered to nobody: its rows are still in the spool.
    private func readBuffer(_ path: String) {
        do throws(Failure) {
            let file = try Files.open(path)
            defer { Files.close(file) }
            guard isNew(file) else { return }
            let end = UInt64(try fileByteCount(file))
            var room = ByteRoom(byteCount: 256 << 10)
            var scanner = RowScanner()
            var offset: UInt64 = 0
            while offset + UInt64(BufferFrame.byteCount) <= end {
                _ = try Files.read(file, into: room.base, count: BufferFrame.byteCount, at: offset)
                let head = UnsafeRawBufferPointer(start: room.base, count: BufferFrame.byteCount)
                offset += UInt64(BufferFrame.byteCount)
                guard let count = BufferFrame.read(head), offset + UInt64(count) <= end else {
                    break
                }
                room.grow(to: count, keeping: 0)
                let got = try Files.read(file, into: room.base, count: count, at: offset)
                let join = self.join
                let rows = UnsafeRawBufferPointer(start: room.base, count: got)
                scanner.feed(rows) { join.take($0, from: .waiting) }
                offset += UInt64(count)
            }
            didRead(end)
        } catch {
            // It became an object since the folder was listed.
            if !error.isAbsent { didFail(path, error.reason) }
        }
    }
}
