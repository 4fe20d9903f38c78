import Core
import Platform

/// The supervisor's end of a child's control socket. Owns the descriptor, and those that wait to be
/// sent.
final class ControlChannel {
    private struct Parcel {
        var message: ControlMessage
        /// Closed here once it is sent, or cannot be.
        var descriptor: Int32?
    }

    /// A child that floods is read in portions, so that the others are heard too.
    private static let messagesPerWake = 64

    private let descriptor: Int32
    private var watch: ReadableWatch?
    /// What the socket had no room for, in order.
    private var outbox: [Parcel] = []
    private let received: (ControlMessage) -> Void

    /// Takes over the descriptor, also when it throws.
    init(
        descriptor: Int32, in loop: Loop, received: @escaping (ControlMessage) -> Void
    ) throws(Failure) {
        self.descriptor = descriptor
        self.received = received
        do throws(Failure) {
            watch = try ReadableWatch(
                descriptor: descriptor, in: loop, owner: Unmanaged.passUnretained(self).toOpaque(),
                readable: {
                    let channel = Unmanaged<ControlChannel>.fromOpaque($0).takeUnretainedValue()
                    channel.read(atMost: ControlChannel.messagesPerWake)
                })
        } catch {
            closeDescriptor(descriptor)
            throw error
        }
    }

    /// Messages that wait for room: `retry` some milliseconds later.
    var hasWaiting: Bool { !outbox.isEmpty }

    /// Sends, or keeps for `retry`. A descriptor that rides along is closed here in any case.
    func send(_ message: ControlMessage, descriptor: Int32? = nil) {
        outbox.append(Parcel(message: message, descriptor: descriptor))
        retry()
    }

    func retry() {
        while let parcel = outbox.first {
            if !deliver(parcel) { return }
            outbox.removeFirst()
            parcel.descriptor.map { closeDescriptor($0) }
        }
    }

    /// Reads what is left, for a child that has just died: its last words count.
    func readRest() { read(atMost: 4096) }

    func close() {
        watch?.close()
        watch = nil
        closeDescriptor(descriptor)
        for parcel in outbox { parcel.descriptor.map { closeDescriptor($0) } }
        outbox = []
    }

    /// False when the socket is full, or too many descriptors are on their way.
    private func deliver(_ parcel: Parcel) -> Bool {
        var bytes = [UInt8](repeating: 0, count: ControlMessage.byteCount)
        return bytes.withUnsafeMutableBytes { room in
            parcel.message.write(to: room.baseAddress!)
            do throws(Failure) {
                try sendMessage(
                    UnsafeRawBufferPointer(room), descriptors: parcel.descriptor.map { [$0] } ?? [],
                    over: descriptor)
            } catch {
                return !error.isTemporary  // a peer that is gone gets nothing more
            }
            return true
        }
    }

    private func read(atMost limit: Int) {
        // One byte more than a message: what is longer must not pass for one.
        var room = [UInt8](repeating: 0, count: ControlMessage.byteCount + 1)
        for _ in 0..<limit {
            guard watch != nil else { return }
            let got = room.withUnsafeMutableBytes {
                try? receiveMessage(into: $0, from: descriptor)
            }
            guard case .message(let count, let descriptors) = got else {
                if case .nothing = got { return }
                // The other end is closed. The child's exit tells the rest.
                watch?.close()
                watch = nil
                return
            }
            descriptors.forEach { closeDescriptor($0) }  // children have none to give
            let message = room.withUnsafeBytes {
                ControlMessage.read(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            if let message { received(message) }
        }
    }
}
