import Glibc

/// A path from a base folder on, without "." and doubled slashes; ".." stays, because a symbolic
/// link may stand before it.
func absolute(_ path: String, from base: String) -> String {
    let whole = path.hasPrefix("/") ? path : base + "/" + path
    let parts = whole.split(separator: "/").filter { $0 != "." }
    return "/" + parts.joined(separator: "/")
}

/// The folder of an absolute path.
func folder(of path: String) -> String {
    let end = path.lastIndex(of: "/") ?? path.startIndex
    return end == path.startIndex ? "/" : String(path[..<end])
}

/// The machine's name, as `{host}` in stream names becomes it.
public func machineName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, 255) == 0 else { return "localhost" }
    return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
