import Core
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

/// A cluster on its own thread, with fake children and a folder of its own.
final class RunningCluster: @unchecked Sendable {
    let temporary = TemporaryFolder()
    private let outcome = Mutex<Int32?>(nil)
    private let lines = Mutex<[String]>([])

    init(
        routers: Int = 1, workers: Int = 2, behaviour: String = "", stopTimeoutMs: UInt64 = 4000,
        tuning: (inout Settings) -> Void = { _ in }
    ) {
        var settings = Settings()
        settings.dataFolder = temporary.path
        settings.listen.port = 0
        settings.localListen.port = 0
        settings.admin?.port = 0
        settings.routers = routers
        settings.workers = workers
        settings.stopTimeoutMs = stopTimeoutMs
        tuning(&settings)
        Thread { [self, settings] in
            var options = ClusterSettings(settings: settings) { settings, path in
                let words = "port=\(settings.listen.port) \(settings.admin?.port ?? 0) \(behaviour)"
                try SmallFile.write(Array(words.utf8), to: path)
            }
            options.program = "/usr/bin/env"
            options.programWords = ["env"] + FakeChild.words
            options.handlesSignals = false
            options.log = { _, line in self.lines.withLock { $0.append(line) } }
            do {
                let cluster = try Cluster(options)
                let code = cluster.run()
                outcome.withLock { $0 = code }
                withExtendedLifetime(cluster) {}
            } catch {
                lines.withLock { $0.append("\(error)") }
                outcome.withLock { $0 = -1 }
            }
        }.start()
    }

    var folder: DataFolder { DataFolder(path: temporary.path) }
    var client: ControlClient { ControlClient(folder: folder) }

    var log: [String] { lines.withLock { $0 } }
    var exitCode: Int32? { outcome.withLock { $0 } }

    /// What the children wrote, split into words.
    var notes: [[Substring]] {
        let path = folder.settingsSnapshot + ".log"
        let bytes = (try? SmallFile.read(path)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .map { $0.split(separator: " ") }
    }

    var port: UInt16 {
        get throws {
            let bytes = try SmallFile.read(folder.settingsSnapshot)
            let word = String(decoding: bytes, as: UTF8.self).prefix { $0 != " " }
            return UInt16(word.dropFirst("port=".count))!
        }
    }

    /// What the admin listener answers to these bytes, up to its end of the connection.
    func admin(_ request: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { closeDescriptor(descriptor) }
        guard connectLoopback(descriptor, port: try adminPort) == 0 else { return "refused" }
        try SmallFile.writeAll(Array(request.utf8), to: descriptor)
        var answer: [UInt8] = []
        while case let more = try readSome(descriptor), !more.isEmpty { answer += more }
        return String(decoding: answer, as: UTF8.self)
    }

    /// 0 when there is none.
    var adminPort: UInt16 {
        get throws {
            let bytes = try SmallFile.read(folder.settingsSnapshot)
            return UInt16(String(decoding: bytes, as: UTF8.self).split(separator: " ")[1])!
        }
    }

    func get(_ target: String) throws -> String {
        try admin("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
    }

    func ask(_ request: ControlRequest) -> [String] {
        var lines: [String] = []
        _ = try? client.ask(request) { lines.append($0) }
        return lines
    }

    func status() -> [String: Any] {
        let line = ask(.status).first ?? "{}"
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
        return object as? [String: Any] ?? [:]
    }

    func process(_ role: String, _ index: Int) -> [String: Any] {
        let processes = status()["processes"] as? [[String: Any]] ?? []
        return processes.first {
            $0["role"] as? String == role && $0["index"] as? Int == index
        } ?? [:]
    }

    /// Waits at most 20 s, which is for a very slow machine.
    func wait(for what: String, until isSo: () -> Bool) {
        for _ in 0..<1000 {
            if isSo() { return }
            sleepMs(20)
        }
        Issue.record("\(what) did not come to pass; log: \(log); notes: \(notes)")
    }

    func waitUntilReady() {
        wait(for: "ready") { log.contains { $0.hasPrefix("ready: ") } }
    }

    func waitForEnd() -> Int32? {
        wait(for: "the end") { exitCode != nil }
        return exitCode
    }
}

func connectLoopback(_ descriptor: Int32, port: UInt16) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
