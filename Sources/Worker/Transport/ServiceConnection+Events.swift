import Core

import Platform

/// Where libuv's calls arrive. Each changes the state in one method call and, that being over,
/// tells the owner if the call has ended.
extension ServiceConnection {
    nonisolated(unsafe) static let streamEvents: UnsafePointer<StreamEvents> = {
        let table = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        table.initialize(
            to: StreamEvents(
                didRead: { owner, bytes, count in
                    let it = pointer(owner)
                    it.pointee.didRead(UnsafeRawBufferPointer(start: bytes, count: count))
                    tellOwner(it)
                },
                didEnd: { owner, code in
                    let it = pointer(owner)
                    it.pointee.didEnd(code)
                    tellOwner(it)
                },
                didWrite: { owner, code in
                    let it = pointer(owner)
                    it.pointee.didWrite(code)
                    tellOwner(it)
                },
                didConnect: { owner, code in
                    let it = pointer(owner)
                    it.pointee.didConnect(code)
                    tellOwner(it)
                },
                didClose: { owner in
                    let it = pointer(owner)
                    if it.pointee.didClose() { free(it) } else { tellOwner(it) }
                }))
        return UnsafePointer(table)
    }()

    static let timerFired: OwnerCall = { owner in
        let it = pointer(owner)
        it.pointee.timeHasCome()
        tellOwner(it)
    }

    static let resolved: OwnerCallWithNumber = { owner, code in
        let it = pointer(owner)
        it.pointee.didResolve(code)
        tellOwner(it)
    }

    /// Ends everything; the owner hears no more, and the pointer is no longer his.
    static func shutDown(_ it: Pointer) {
        if it.pointee.shutDown() { free(it) }
    }

    private static func pointer(_ owner: UnsafeMutableRawPointer) -> Pointer {
        owner.assumingMemoryBound(to: ServiceConnection.self)
    }

    private static func tellOwner(_ it: Pointer) {
        if !it.pointee.takeFinished() { return }
        let (owner, didFinish) = (it.pointee.owner, it.pointee.didFinish)
        didFinish(owner)
    }

    private static func free(_ it: Pointer) {
        it.deinitialize(count: 1)
        it.deallocate()
    }
}
