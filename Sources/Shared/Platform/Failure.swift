import CLibuv
import Glibc

/// A libuv or system call that failed: which one, and why in words.
public struct Failure: Error, CustomStringConvertible {
    /// Positive errno value (libuv's codes are negative errno values on Linux).
    public let number: Int32
    public let call: StaticString

    public init(number: Int32, call: StaticString) {
        self.number = number
        self.call = call
    }

    /// Reads `errno`; make it the first thing after the failed call.
    public init(errnoOf call: StaticString) { self.init(number: errno, call: call) }

    public var reason: String { String(cString: strerror(number)) }
    public var description: String { "\(call): \(reason)" }
}

/// Turns libuv's "negative means failed" into a typed throw.
@discardableResult
@inline(always)
func uv(_ call: StaticString, _ status: Int32) throws(Failure) -> Int32 {
    if status < 0 { throw Failure(number: -status, call: call) }
    return status
}

/// For calls that fail only by our own mistake (a closed handle, a bad argument).
@inline(always)
func must(_ call: StaticString, _ status: Int32) {
    if status < 0 { fatalError("\(call): \(String(cString: uv_strerror(status)))") }
}

/// The same for system calls that answer -1 and set errno.
@discardableResult
public func system(_ call: StaticString, _ status: Int32) throws(Failure) -> Int32 {
    if status < 0 { throw Failure(errnoOf: call) }
    return status
}

/// libuv's end-of-file code, as `StreamEvents.didEnd` gives it.
public let endOfFile: Int32 = Int32(UV_EOF.rawValue)
/// libuv's code for a call that was cancelled by closing its handle.
public let cancelled: Int32 = Int32(UV_ECANCELED.rawValue)

/// What a libuv code means in words ("connection refused").
public func describe(uvCode code: Int32) -> String { String(cString: uv_strerror(code)) }
