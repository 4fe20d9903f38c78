import Core
import Platform

/// One HTTP call by itself, for a command: waits for its end.
public enum LoneCall {
    public struct Answer {
        public let status: Int
        public let body: [UInt8]
    }

    /// Why there is no answer, with the endpoint's name.
    public struct NoAnswer: Error, CustomStringConvertible {
        public let description: String
    }

    /// - Parameters:
    ///   - request: head and body, as they go over the wire.
    ///   - timeoutMs: for connecting, and again for the call.
    /// - Throws: `NoAnswer`, or what keeps the endpoint from being reached at all.
    public static func run(
        to endpoint: ServiceEndpoint, _ settings: Settings, request: [UInt8],
        timeoutMs: UInt64 = 5000
    ) throws -> Answer {
        let loop = try Loop.make()
        var limits = CallLimits()
        (limits.connectTimeoutMs, limits.callTimeoutBaseMs) = (timeoutMs, timeoutMs)
        let route = try ServiceRoute.to(endpoint, settings, environment: processEnvironment())
        // Nobody is told: the end is looked for after each turn.
        let connection = ServiceConnection.allocate(
            in: loop, route: route, limits: limits,
            owner: UnsafeMutableRawPointer(bitPattern: 1)!, didFinish: { _ in })
        defer { ServiceConnection.shutDown(connection) }
        return try request.withUnsafeBytes { bytes in
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            connection.pointee.call(head: bytes, body: none)
            while connection.pointee.isBusy { loop.runOnce() }
            if let trouble = connection.pointee.trouble {
                throw NoAnswer(description: trouble.text)
            }
            return Answer(
                status: connection.pointee.response.status,
                body: connection.pointee.response.body)
        }
    }
}
