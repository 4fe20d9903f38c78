import Foundation
import Platform
import Synchronization

/// Asks the cluster under load for its counters, once a second, on a thread of its own: a cluster
/// that answers late delays nothing here.
final class ServerSampler: Sendable {
    private struct State {
        var wantedAt: Double?
        var samples: [RunResult.ServerSample] = []
        var isOver = false
    }

    private let socket: String
    private let state = Mutex(State())
    private let thread = Mutex<ThreadHandle?>(nil)

    /// A data folder with a running cluster's control socket.
    static func isCluster(_ folder: String) -> Bool {
        access(folder + "/control.sock", F_OK) == 0
    }

    init(_ folder: String) {
        socket = folder + "/control.sock"
        let owner = Unmanaged.passRetained(self).toOpaque()
        let handle = try? startThread(name: "sampler", owner: owner) { owner in
            Unmanaged<ServerSampler>.fromOpaque(owner).takeRetainedValue().work()
        }
        thread.withLock { $0 = handle }
    }

    /// Asks for a sample of now.
    func take(atSeconds second: Double) { state.withLock { $0.wantedAt = second } }

    /// All samples; waits for the thread.
    func finish() -> [RunResult.ServerSample] {
        state.withLock { $0.isOver = true }
        thread.withLock { $0.take()?.join() }
        return state.withLock { $0.samples }
    }

    private func work() {
        while true {
            let (second, isOver) = state.withLock { state in
                defer { state.wantedAt = nil }
                return (state.wantedAt, state.isOver)
            }
            if let second, let counters = try? ask() {
                state.withLock {
                    $0.samples.append(.init(second: second, counters: counters))
                }
            }
            if isOver { return }
            usleep(20_000)
        }
    }

    /// The ledger and the counters of `hydrant status --json`, as far as they are whole numbers.
    private func ask() throws -> [String: UInt64] {
        let descriptor = try connectUnix(to: socket)
        defer { closeDescriptor(descriptor) }
        setReceiveTimeout(descriptor, milliseconds: 2000)
        try SmallFile.writeAll(Array("status\n".utf8), to: descriptor)
        var bytes: [UInt8] = []
        while true {
            let more = try readSome(descriptor)
            if more.isEmpty { break }
            bytes += more
        }
        let json = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        var counters: [String: UInt64] = [:]
        for part in ["ledger", "counters"] {
            for (name, value) in json?[part] as? [String: Any] ?? [:] {
                if let number = value as? NSNumber { counters[name] = number.uint64Value }
            }
        }
        return counters
    }
}
