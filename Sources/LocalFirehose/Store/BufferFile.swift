import Core
import Glibc
import Platform

/// A buffer that is being filled.
struct OpenBuffer {
    let name: ObjectName
    let descriptor: Int32
    let openedAtMs: UInt64
    /// Frames and payload; the file is exactly as long.
    private(set) var byteCount = 0

    init(name: ObjectName, folder: String, nowMs: UInt64) throws(Failure) {
        self.name = name
        openedAtMs = nowMs
        descriptor = try Files.open(
            folder + "/" + name.bufferFile, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    }

    /// Appends a frame, head included. On failure the file is as before.
    mutating func append(frame: UnsafeRawBufferPointer) throws(Failure) {
        do throws(Failure) {
            try Files.write(frame, to: descriptor)
        } catch {
            try Files.cut(descriptor, to: byteCount)
            throw error
        }
        byteCount += frame.count
    }
}

/// Reads the payload of a buffer's whole frames, in pieces.
struct BufferReader {
    private let descriptor: Int32
    private var fileRest: Int
    private var frameRest = 0

    init(path: String) throws(Failure) {
        descriptor = try Files.open(path, O_RDONLY)
        do throws(Failure) {
            fileRest = try fileByteCount(descriptor)
        } catch {
            Files.close(descriptor)
            throw error
        }
    }

    func close() { Files.close(descriptor) }

    /// Bytes put into the room; 0 when there are no more whole frames.
    mutating func read(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        while frameRest == 0 {
            guard try openFrame() else { return 0 }
        }
        let part = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, frameRest)])
        let count = try Files.read(descriptor, into: part)
        frameRest -= count
        fileRest -= count
        return count
    }

    private mutating func openFrame() throws(Failure) -> Bool {
        guard fileRest >= BufferFrame.byteCount else { return false }
        var head: UInt64 = 0
        var failure: Failure?
        let count = withUnsafeMutableBytes(of: &head) { room -> Int? in
            do throws(Failure) {
                guard try Files.read(descriptor, into: room) == room.count else { return nil }
            } catch { failure = error }
            return BufferFrame.read(UnsafeRawBufferPointer(room))
        }
        if let failure { throw failure }
        fileRest -= BufferFrame.byteCount
        guard let count, count <= fileRest else { return false }
        frameRest = count
        return true
    }
}
