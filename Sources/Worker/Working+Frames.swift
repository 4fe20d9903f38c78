import Core
import Platform

/// A frame's way through the intake, and its ack's to the router.
extension Working {
    /// False when the frame contradicts itself: its link is to be cut.
    func take(
        _ header: FrameHeader, _ frame: UnsafeRawBufferPointer,
        from link: UnsafeMutablePointer<RouterLink>
    ) -> Bool {
        switch state.pointee.intake.take(header, frame) {
        case .malformed: return false
        case .settled: sendAck(to: link)
        case .waiting(let group):
            link.pointee.waiting!.pointee.append(state.pointee.intake.ack, group: group)
        }
        let appended = state.pointee.intake.didAppend()
        if appended.good.bytes > 0 {
            state.pointee.goodDelivery.pointee.appended(appended.good)
        }
        if appended.bad.bytes > 0 {
            state.pointee.badDelivery.pointee.appended(appended.bad)
        }
        return true
    }

    /// The ack leaves before anything else is done: a router waits for it. It expects them in the
    /// order of its frames.
    private func sendAck(to link: UnsafeMutablePointer<RouterLink>) {
        let ack = state.pointee.intake.ack
        if let queue = link.pointee.waiting, !queue.pointee.isEmpty {
            return queue.pointee.append(ack, group: 0)
        }
        send(ack, to: link)
    }

    /// What the link does not take now follows; until then it is held up.
    private func send(_ acks: UnsafeRawBufferPointer, to link: UnsafeMutablePointer<RouterLink>) {
        let written = link.pointee.handle.tryWrite(acks.baseAddress!, acks.count)
        if written == acks.count || written < 0 { return }
        link.pointee.handle.stopReading()
        try? link.pointee.handle.writeCopying(acks.baseAddress! + written, acks.count - written)
    }

    /// Sends the acks whose group is settled.
    func sendSettled(to link: UnsafeMutablePointer<RouterLink>) {
        guard let queue = link.pointee.waiting, !queue.pointee.isEmpty,
            link.pointee.handle.queuedBytes == 0
        else { return }
        let settled = queue.pointee.settled(
            through: state.pointee.intake.commit.settledGroup)
        if settled.acks == 0 { return }
        send(settled.bytes, to: link)
        queue.pointee.removeFirst(settled.acks)
    }
}
