import CLibuv
import CLinux
import Glibc

/// An IPv4 or IPv6 address with its port, as the kernel wants it.
public struct SocketAddress {
    private var storage = sockaddr_storage()

    /// Reads "127.0.0.1" or "::1"; nil when it is neither (a name, then: see `Resolver`).
    public init?(ip: String, port: UInt16) {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if uv_ip4_addr(ip, Int32(port), &v4) == 0 {
            withUnsafeMutableBytes(of: &storage) { room in
                withUnsafeBytes(of: v4) { room.copyMemory(from: $0) }
            }
        } else if uv_ip6_addr(ip, Int32(port), &v6) == 0 {
            withUnsafeMutableBytes(of: &storage) { room in
                withUnsafeBytes(of: v6) { room.copyMemory(from: $0) }
            }
        } else {
            return nil
        }
    }

    init(copying address: UnsafePointer<sockaddr>, count: Int) {
        withUnsafeMutableBytes(of: &storage) { room in
            room.copyMemory(from: UnsafeRawBufferPointer(start: address, count: count))
        }
    }

    /// "127.0.0.1" or "::1", without the port.
    public var text: String {
        withSockaddr { address in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) {
                uv_ip_name(address, $0.baseAddress!, $0.count) == 0
                    ? String(cString: $0.baseAddress!) : ""
            }
        }
    }

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>) -> R) -> R {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }
}

/// Binds a TCP socket without listening on it. Throws with the failed call's name.
public func bindTCP(
    address: String, port: UInt16, reusePort: Bool = false
) throws(Failure) -> Int32 {
    var step: UnsafePointer<CChar>?
    let descriptor = clinux_tcp_bind(address, port, reusePort ? 1 : 0, &step)
    if descriptor < 0 { throw Failure(errnoOf: "bind") }
    return descriptor
}

/// The peer of a connected socket, IPv4 mapped into IPv6; zeros when it is already gone.
public func peerAddress(of stream: Stream, into out: UnsafeMutablePointer<UInt8>) {
    _ = clinux_peer_address(stream.descriptor, out)
}

/// A connected pair of Unix sockets, close-on-exec and non-blocking. `packets`: message boundaries
/// are kept (SOCK_SEQPACKET), else a byte stream.
public func socketPair(packets: Bool) throws(Failure) -> (Int32, Int32) {
    var pair: (Int32, Int32) = (-1, -1)
    let status = withUnsafeMutablePointer(to: &pair) {
        $0.withMemoryRebound(to: Int32.self, capacity: 2) { clinux_socketpair(packets ? 1 : 0, $0) }
    }
    try system("socketpair", status)
    return pair
}

/// A second descriptor of the same socket, close-on-exec; nil when there is none left.
public func duplicate(_ descriptor: Int32) -> Int32? {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    return copy < 0 ? nil : copy
}

/// Sends one message with up to four descriptors over a packet socket.
public func sendMessage(
    _ bytes: UnsafeRawBufferPointer, descriptors: [Int32] = [], over socket: Int32
) throws(Failure) {
    let sent = descriptors.withUnsafeBufferPointer {
        clinux_send_fds(socket, bytes.baseAddress, bytes.count, $0.baseAddress, Int32($0.count))
    }
    if sent < 0 { throw Failure(errnoOf: "sendmsg") }
}

/// What `receiveMessage` found.
public enum Received {
    case message(byteCount: Int, descriptors: [Int32])
    case nothing
    case closed
}

/// Takes one message from a packet socket, if there is one.
public func receiveMessage(
    into room: UnsafeMutableRawBufferPointer, from socket: Int32
) throws(Failure) -> Received {
    var descriptors = [Int32](repeating: -1, count: Int(CLINUX_FDS_MAX))
    var count = CLINUX_FDS_MAX
    let got = descriptors.withUnsafeMutableBufferPointer {
        clinux_recv_fds(socket, room.baseAddress, room.count, $0.baseAddress, &count)
    }
    if got < 0 {
        if errno == EAGAIN { return .nothing }
        if errno == ECONNRESET { return .closed }
        throw Failure(errnoOf: "recvmsg")
    }
    if got == 0 { return .closed }
    return .message(byteCount: got, descriptors: Array(descriptors.prefix(Int(count))))
}
