import CLinux
import Glibc

/// Gives each direction of a Unix socket room for about that many bytes. The kernel caps it at
/// `net.core.wmem_max`; less than asked is no failure.
public func setSocketBuffers(_ descriptor: Int32, byteCount: Int32) {
    _ = clinux_set_socket_buffers(descriptor, byteCount)
}

/// Lets other sockets with the same option share this one's port. It may be set late, on a socket
/// that was bound alone.
public func setReusePort(_ descriptor: Int32) throws(Failure) {
    var on: Int32 = 1
    try system(
        "setsockopt SO_REUSEPORT",
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size)))
}

/// Makes a bound socket listen: from now on the kernel queues its connections.
public func listen(on descriptor: Int32, backlog: Int32) throws(Failure) {
    try system("listen", Glibc.listen(descriptor, backlog))
}

/// The port a TCP socket is bound to; 0 when it is not.
public func localPort(of descriptor: Int32) -> UInt16 {
    var address = sockaddr_storage()
    var count = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            getsockname(descriptor, $0, &count)
        }
    }
    if status < 0 { return 0 }
    // The port sits at the same place in the IPv4 and the IPv6 address.
    return withUnsafeBytes(of: address) {
        UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
}

/// The longest path a Unix socket's address can hold, without its terminating zero.
public let unixPathBytesMax = 107

/// A listening Unix socket at `path`, readable and writable by its owner only. Whatever was there
/// is removed first: the caller knows that it is stale.
public func listenUnix(at path: String, backlog: Int32) throws(Failure) -> Int32 {
    let descriptor = try system(
        "socket", clinux_unix_socket(1))
    unlink(path)
    // The mask makes the socket private from its first instant; one thread, so nobody else is hit.
    let mask = umask(0o177)
    let status = withUnixAddress(path) { bind(descriptor, $0, $1) }
    let failure = Failure(errnoOf: "bind")
    umask(mask)
    if status < 0 {
        close(descriptor)
        throw failure
    }
    do { try listen(on: descriptor, backlog: backlog) } catch {
        close(descriptor)
        throw error
    }
    return descriptor
}

/// A blocking connection to a Unix socket, for a command that has nothing else to do.
public func connectUnix(to path: String) throws(Failure) -> Int32 {
    let descriptor = try system(
        "socket", clinux_unix_socket(0))
    if withUnixAddress(path, { connect(descriptor, $0, $1) }) < 0 {
        let failure = Failure(errnoOf: "connect")
        close(descriptor)
        throw failure
    }
    return descriptor
}

/// Reading fails with EAGAIN after so long without a byte.
public func limitReading(_ descriptor: Int32, seconds: Int) throws(Failure) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    try system(
        "setsockopt",
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size)))
}

private func withUnixAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_un()
    let bytes = Array(path.utf8)
    if bytes.count > unixPathBytesMax {
        errno = ENAMETOOLONG
        return -1
    }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

extension Failure {
    /// Nothing is wrong with the socket: the same call may pass a little later.
    public var isTemporary: Bool {
        [EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS].contains(number)
    }
}

/// A blocking read on the socket gives up after so long (EAGAIN).
public func setReceiveTimeout(_ descriptor: Int32, milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(
        descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
}
