import CLibuv
import CLinux
import Glibc

/// Turns names into addresses, on libuv's thread pool. One query at a time.
public struct Resolver {
    /// More addresses of one name are left out.
    public static let addressesMax = 8

    private struct Storage {
        var request = uv_getaddrinfo_t()
        var loop: Loop
        var owner: UnsafeMutableRawPointer
        var done: OwnerCallWithNumber
        var addresses: [SocketAddress] = []
        var isAsking = false
        var isClosed = false
    }

    private let storage: UnsafeMutablePointer<Storage>

    /// `done` gets 0, or a negative libuv code; then `addresses` has the result.
    public init(in loop: Loop, owner: UnsafeMutableRawPointer, done: @escaping OwnerCallWithNumber)
    {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(loop: loop, owner: owner, done: done))
    }

    /// What the last query found, in the order to try them.
    public var addresses: [SocketAddress] { storage.pointee.addresses }
    /// A query is under way; another must wait.
    public var isAsking: Bool { storage.pointee.isAsking }

    /// Asks for the addresses of a name; `done` follows in a later turn.
    public func resolve(host: String, port: UInt16) throws(Failure) {
        precondition(!isAsking && !storage.pointee.isClosed)
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = clinux_socket_type_stream()
        storage.pointee.request.data = UnsafeMutableRawPointer(storage)
        try uv(
            "getaddrinfo",
            uv_getaddrinfo(
                storage.pointee.loop.raw, &storage.pointee.request,
                { request, status, found in
                    let storage = request!.pointee.data.assumingMemoryBound(to: Storage.self)
                    Resolver(storage: storage).finish(status, found)
                }, host, String(port), &hints))
        storage.pointee.isAsking = true
    }

    private init(storage: UnsafeMutablePointer<Storage>) { self.storage = storage }

    private func finish(_ status: Int32, _ found: UnsafeMutablePointer<addrinfo>?) {
        storage.pointee.isAsking = false
        var list: [SocketAddress] = []
        var next = found
        while let entry = next, list.count < Self.addressesMax {
            if let address = entry.pointee.ai_addr {
                list.append(
                    SocketAddress(copying: address, count: Int(entry.pointee.ai_addrlen)))
            }
            next = entry.pointee.ai_next
        }
        if let found { uv_freeaddrinfo(found) }
        if storage.pointee.isClosed {
            free()
            return
        }
        storage.pointee.addresses = list
        let status = status == 0 && list.isEmpty ? Int32(UV_EAI_NODATA.rawValue) : status
        storage.pointee.done(storage.pointee.owner, status)
    }

    /// `done` is not called any more. A query that a thread is at runs on, for nobody.
    public func close() {
        storage.pointee.isClosed = true
        if !isAsking {
            free()
            return
        }
        withUnsafeMutablePointer(to: &storage.pointee.request) {
            _ = $0.withMemoryRebound(to: uv_req_t.self, capacity: 1) { uv_cancel($0) }
        }
    }

    private func free() {
        storage.deinitialize(count: 1)
        storage.deallocate()
    }
}
