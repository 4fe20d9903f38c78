import Foundation
import TestSupport
import Testing

/// In a row: one of them changes what signals do to this process.
@Suite(.serialized) final class SpawnedProcessTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("hydrant-spawn-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Runs a line of shell to its end; what it wrote to standard output.
    private func shell(
        _ line: String, environment: [String: String] = [:], input: String = "/dev/null"
    ) throws -> String {
        let process = try SpawnedProcess(
            "sh", ["-c", line], environment: environment, folder: folder, input: input,
            output: "output")
        try #require(process.waitUntilExit(withinSeconds: 20))
        #expect(process.exitStatus == 0)
        return try String(contentsOfFile: folder + "/output", encoding: .utf8)
    }

    /// No process has that number: not even one that ended and that nobody asked about.
    private func isGone(_ pid: Int32) -> Bool {
        !FileManager.default.fileExists(atPath: "/proc/\(pid)")
    }

    // MARK: Its end

    @Test(arguments: [0, 1, 7, 255]) func `an exit code is told`(code: Int32) throws {
        let process = try SpawnedProcess("sh", ["-c", "exit \(code)"])
        #expect(process.waitUntilExit(withinSeconds: 20))
        #expect(process.exitStatus == code)
        #expect(process.signal == nil)
    }

    @Test func `what a signal ended says which, and what runs says nothing`() throws {
        let process = try SpawnedProcess("sleep", ["60"])
        #expect(process.isRunning)
        #expect(process.exitStatus == nil && process.signal == nil)
        #expect(!process.waitUntilExit(withinSeconds: 0.01))
        process.kill(SIGTERM)
        #expect(process.waitUntilExit(withinSeconds: 20))
        #expect(process.signal == SIGTERM)
        #expect(process.exitStatus == 128 + SIGTERM)
    }

    @Test func `the first look after the end leaves no zombie`() throws {
        let process = try SpawnedProcess("true")
        let state = "/proc/\(process.pid)/stat"
        // Until somebody looks it is one.
        let isZombie = try eventually(within: 20) {
            try String(contentsOfFile: state, encoding: .utf8).contains(") Z ")
        }
        #expect(isZombie)
        #expect(!process.isRunning)
        #expect(isGone(process.pid))
        process.kill(SIGKILL)
        process.endNow()
        #expect(process.exitStatus == 0, "an end is remembered")
    }

    @Test func `it ends with its object, running or not`() throws {
        var running: SpawnedProcess? = try SpawnedProcess("sleep", ["60"])
        var ended: SpawnedProcess? = try SpawnedProcess("true")
        let pids = try [#require(running).pid, #require(ended).pid]
        #expect(!isGone(pids[0]))
        running = nil
        ended = nil
        #expect(pids.allSatisfy(isGone))
    }

    // MARK: What it starts with

    @Test func `streams are files, and output is appended`() throws {
        try "a line\n".write(toFile: folder + "/input", atomically: true, encoding: .utf8)
        #expect(try shell("cat", input: "input") == "a line\n")
        #expect(try shell("cat; echo more") == "a line\nmore\n", "the rest is /dev/null")
        let both = folder + "/both"
        let process = try SpawnedProcess(
            "sh", ["-c", "echo 1; echo 2 >&2; echo 3"], output: both, errors: both)
        #expect(process.waitUntilExit(withinSeconds: 20))
        #expect(try String(contentsOfFile: both, encoding: .utf8) == "1\n2\n3\n")
    }

    @Test func `its folder is the given one, its environment ours and more`() throws {
        let seen = try shell(
            "pwd -P; echo \"$GREETING\"; echo \"$PATH\"", environment: ["GREETING": "grüß dich"])
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        #expect(seen == "\(real)\ngrüß dich\n\(path)\n")
    }

    @Test func `a variable of ours is replaced, not doubled`() throws {
        #expect(
            try shell("env | grep -c ^HOME=; echo $HOME", environment: ["HOME": "/x"]) == "1\n/x\n")
    }

    @Test func `it holds none of our descriptors`() throws {
        // Inheritable, as dup makes them; one far off.
        let many = (0..<300).map { fcntl(2, F_DUPFD, 3 + $0) } + [fcntl(2, F_DUPFD, 900)]
        defer { for descriptor in many { close(descriptor) } }
        #expect(many.allSatisfy { $0 > 2 })
        // Its streams, and the folder it reads.
        let process = try SpawnedProcess("ls", ["/proc/self/fd"], output: folder + "/descriptors")
        #expect(process.waitUntilExit(withinSeconds: 20))
        let seen = try String(contentsOfFile: folder + "/descriptors", encoding: .utf8)
        #expect(seen == "0\n1\n2\n3\n")
    }

    @Test func `it neither blocks nor ignores a signal`() throws {
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let ignored = Foundation.signal(SIGUSR1, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            _ = Foundation.signal(SIGUSR1, ignored)
        }
        let seen = try shell("grep -E 'Sig(Blk|Ign)' /proc/self/status")
        let masks = seen.matches(of: #/[0-9a-f]{16}/#).compactMap { UInt64($0.0, radix: 16) }
        // The C library keeps 32 and 33 for itself; spawning ignores them.
        #expect(masks.map { $0 & ~(3 << 31) } == [0, 0], "\(seen)")
    }

    /// So that whoever interrupts the tests ends it, too.
    @Test func `it is in our process group`() throws {
        let process = try SpawnedProcess("sleep", ["60"])
        #expect(getpgid(process.pid) == getpgrp())
        process.endNow()
    }

    // MARK: What is not there

    @Test func `a missing program is an error that names it`() throws {
        let error = #expect(throws: SpawnedProcess.NotStarted.self) {
            try SpawnedProcess("no-such-program-here", ["x"])
        }
        #expect(error?.errorNumber == ENOENT)
        #expect(error?.description.hasPrefix("cannot start no-such-program-here (") == true)
    }

    @Test(arguments: ["folder", "input", "output"])
    func `a missing folder or file is an error that names it`(what: String) throws {
        let absent = "/no/such/place"
        let error = #expect(throws: SpawnedProcess.NotStarted.self) {
            try SpawnedProcess(
                "true", folder: what == "folder" ? absent : nil,
                input: what == "input" ? absent : "/dev/null",
                output: what == "output" ? absent : "/dev/null")
        }
        #expect(error?.description.contains("\(what) \(absent)") == true)
        #expect(error?.description.hasSuffix("No such file or directory") == true)
    }
}
