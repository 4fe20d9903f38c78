import Config
import Core
import Glibc

@testable import LoadTest

extension LoadPlan {
    /// A plan that says nothing but where to.
    static func sample(
        _ path: String = "/", host: String = "127.0.0.1", scenario: Scenario? = nil,
        seed: UInt64 = 1
    ) -> LoadPlan {
        LoadPlan(
            target: LoadTarget(isTLS: false, host: host, port: 8080, path: path), model: .open,
            connections: 1, workers: 1, threads: 1, rate: .constant(1, seconds: 1),
            scenario: scenario, seed: seed, run: 0x1234_abcd, backlogMax: 100)
    }

    static func builtIn(_ name: String, seed: UInt64 = 1) throws -> LoadPlan {
        sample(scenario: try ScenarioFile.named(name).scenario, seed: seed)
    }

    func changed(_ change: (inout LoadPlan) -> Void) -> LoadPlan {
        var plan = self
        change(&plan)
        return plan
    }
}

/// A maker, and watched memory around the room that it is promised.
final class Requests {
    private static let guardBytes = 64
    private let maker: RequestMaker
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(_ plan: LoadPlan, log: ReplayLog? = nil) throws {
        maker = try RequestMaker(plan, log: log)
        memory = .allocate(capacity: RequestMaker.bytesMax + 2 * Self.guardBytes)
        memory.initialize(repeating: 0xa5)
    }

    deinit { memory.deallocate() }

    func request(_ sequence: UInt64) -> (bytes: [UInt8], hasNoBody: Bool) {
        let start = memory.baseAddress! + Self.guardBytes
        let request = maker.write(sequence, to: start)
        return (
            Array(UnsafeBufferPointer(start: start, count: request.byteCount)),
            request.answerHasNoBody
        )
    }

    func text(_ sequence: UInt64) -> String {
        String(decoding: request(sequence).bytes, as: UTF8.self)
    }

    /// The request line's target.
    func target(_ sequence: UInt64) -> String {
        String(text(sequence).split(separator: " ", maxSplits: 2)[1])
    }

    func lengths(_ ordinals: Range<UInt64>, thread: Int = 0) -> [Int?] {
        ordinals.map { maker.requestsOfConnection($0, thread: thread) }
    }

    func samples(_ count: Int) -> [String] { maker.samples(count: count) }

    var isWithinRoom: Bool {
        memory.prefix(Self.guardBytes).allSatisfy { $0 == 0xa5 }
            && memory.suffix(Self.guardBytes).allSatisfy { $0 == 0xa5 }
    }
}

/// Why a plan is refused; nil when it is not.
func refusal(_ plan: LoadPlan) -> String? {
    do throws(TrafficFlaw) {
        _ = try RequestMaker(plan)
        return nil
    } catch {
        return error.message
    }
}

/// A header's value in the text of a request; nil without it.
func header(_ name: String, in request: String) -> String? {
    for line in request.components(separatedBy: "\r\n").dropFirst() {
        if line.isEmpty { return nil }
        if line.hasPrefix(name + ": ") { return String(line.dropFirst(name.count + 2)) }
    }
    return nil
}

extension String {
    func components(separatedBy end: String) -> [Substring] {
        var parts: [Substring] = []
        var left = self[...]
        while let found = left.firstRange(of: end) {
            parts.append(left[..<found.lowerBound])
            left = left[found.upperBound...]
        }
        return parts + [left]
    }
}

/// A file that is gone with the test.
final class TemporaryLog {
    let path: String

    init(_ bytes: [UInt8]) {
        var template = Array("/tmp/hydrant-replay-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    convenience init(_ lines: [String]) {
        self.init(Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    deinit { unlink(path) }
}
