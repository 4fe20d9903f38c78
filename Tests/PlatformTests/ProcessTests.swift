import Glibc
import Testing

@testable import Platform

@Suite struct ProcessTests {
    private final class Parent {
        var exits: [(pid: Int32, status: Int64, signal: Int32)] = []
        var raw: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
    }

    private static let exited: ChildExited = { owner, pid, status, signal in
        Unmanaged<Parent>.fromOpaque(owner).takeUnretainedValue().exits
            .append((pid, status, signal))
    }

    private let loop: Loop
    private let parent = Parent()

    init() throws { loop = try Loop.make() }

    private func run(
        _ script: String, descriptors: [Int32] = [-1, -1, 2], meanwhile: (Int32) -> Void = { _ in }
    ) throws -> (pid: Int32, status: Int64, signal: Int32) {
        let pid = try spawn(
            path: "/bin/sh", arguments: ["sh", "-c", script], descriptors: descriptors, in: loop,
            owner: parent.raw, exited: Self.exited)
        meanwhile(pid)
        while parent.exits.isEmpty { loop.runOnce() }
        #expect(parent.exits.count == 1 && parent.exits[0].pid == pid)
        return parent.exits[0]
    }

    @Test func `a child's exit code is told once`() throws {
        let end = try run("exit 7")
        #expect(end.status == 7 && end.signal == 0)
    }

    @Test func `a child killed by a signal says which`() throws {
        let end = try run("sleep 60") { #expect(sendSignal(SIGKILL, to: $0)) }
        #expect(end.signal == SIGKILL)
    }

    @Test func `descriptors sit where they were put, and close-on-exec ones stay behind`() throws {
        let (mine, theirs) = try socketPair(packets: false)
        let stray = fcntl(theirs, F_DUPFD, 400)
        closeOnExec(stray)
        let script = "echo $(ls /proc/self/fd | tr '\\n' ' ') >&3"
        let end = try run(script, descriptors: [-1, -1, 2, theirs])
        #expect(end.status == 0)
        close(theirs)
        var room = [UInt8](repeating: 0, count: 256)
        let count = read(mine, &room, room.count)
        let seen = String(decoding: room[..<max(0, count)], as: UTF8.self).split(separator: " ")
        #expect(!seen.contains("\(stray)"))
        #expect(seen.contains("3"))
        close(mine)
        close(stray)
    }

    @Test func `a program that is not there is an error that names the call`() {
        let failure = #expect(throws: Failure.self) {
            try spawn(
                path: "/nowhere/at/all", arguments: ["x"], descriptors: [], in: loop,
                owner: parent.raw, exited: Self.exited)
        }
        #expect(failure?.number == ENOENT)
        #expect(failure?.description == "uv_spawn: No such file or directory")
        loop.run()
        #expect(parent.exits.isEmpty)
    }

    @Test func `the file limit is raised as far as it goes`() {
        var limit = rlimit()
        let raised = raiseFileLimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max && raised == Int(min(limit.rlim_max, 1 << 30)))
        #expect(!hostName().isEmpty)
    }

    @Test func `memory files are shared as large as they were made`() throws {
        let descriptor = try makeMemoryFile(name: "test", byteCount: 8192)
        #expect(try fileByteCount(descriptor) == 8192)
        let one = try SharedRegion.map(descriptor: descriptor, byteCount: 8192)
        let other = try SharedRegion.map(descriptor: descriptor, byteCount: 8192)
        one.base.storeBytes(of: 0x1234, toByteOffset: 8000, as: Int.self)
        let seen = other.base.load(fromByteOffset: 8000, as: Int.self)
        #expect(seen == 0x1234)
        close(descriptor)
        #expect(throws: Failure.self) { try fileByteCount(-1) }
    }
}
