import Foundation
import Synchronization

/// A port of 127.0.0.1 where nobody listens. Given out once, since tests run side by side; and below
/// those that Linux gives to connections (`ip_local_port_range` begins at 32768), or one of the
/// thousands of connections made meanwhile could have it by the time it is used.
func freePort() -> Int {
    while true {
        let count = portsTried.wrappingAdd(1, ordering: .relaxed).oldValue
        let port = ports.lowerBound + (Int(getpid()) * 131 + count) % ports.count
        if isFree(port) { return port }
    }
}

private let ports = 15_000..<32_000
private let portsTried = Atomic(0)

private func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(descriptor >= 0, "no socket: \(String(cString: strerror(errno)))")
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
