import Config
import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Supervisor

@Suite struct DataFolderTests {
    let temporary = TemporaryFolder()

    @Test func `it is made with everything above it`() throws {
        let folder = DataFolder(path: temporary.path + "/a/b")
        try folder.prepare()
        try folder.prepare()
        #expect(SmallFile.exists(folder.runFolder))
        #expect(SmallFile.names(in: folder.runFolder) == [])
    }

    @Test func `a place where it cannot be is told with the remedy`() throws {
        try SmallFile.write([], to: temporary.path + "/file")
        let folder = DataFolder(path: temporary.path + "/file/var")
        let failure = #expect(throws: ClusterFailure.self) { try folder.prepare() }
        #expect(failure?.exitCode == 73)
        #expect(failure?.message.contains("data = \(folder.path)") == true)
        #expect(failure?.hint?.contains("--set data=") == true)
    }

    @Test func `a path too long for a socket is refused before anything is made`() {
        let room = unixPathBytesMax - "/control.sock".utf8.count
        let fits =
            temporary.path + "/"
            + String(
                repeating: "x", count: room - temporary.path.utf8.count - 1)
        #expect(throws: Never.self) { try DataFolder(path: fits).prepare() }
        #expect(throws: ClusterFailure.self) { try DataFolder(path: fits + "x").prepare() }
        #expect(!SmallFile.exists(fits + "x"))
    }

    @Test func `the second one is told who has it, and does not wait while that one stays`() throws
    {
        let folder = DataFolder(path: temporary.path)
        try folder.prepare()
        do {
            let lock = try folder.takeLock(patienceMs: 0) { _ in }
            let failure = #expect(throws: ClusterFailure.self) {
                _ = try folder.takeLock(patienceMs: 60_000) { _ in }
            }
            #expect(failure?.message.contains("already runs here (pid \(ownPid))") == true)
            #expect(failure?.exitCode == 69)
            lock.note("123 stopping\n")
            #expect(folder.lockHolder() == (123, true))
            var said: [String] = []
            #expect(throws: ClusterFailure.self) {
                _ = try folder.takeLock(patienceMs: 120) { said.append($0) }
            }
            #expect(said.count == 1)
        }
        // It is free now, but for the moment in which a process that another test starts has been
        // forked and not yet become its program: until then it holds all descriptors.
        _ = try folder.takeLock(patienceMs: 5000) { _ in }
    }

    @Test func `what cannot be written is told with its name and the remedy for just that`() {
        func told(_ number: Int32) -> ClusterFailure {
            .cannotWrite("/d/run/settings.toml", Failure(number: number, call: "write"))
        }
        #expect(
            told(ENOSPC).description
                == "error: /d/run/settings.toml: cannot be written: no space left on device\n"
                + "hint: make room on that disk (df -h, df -i), or set data to another folder "
                + "(--set data=/some/folder)")
        #expect(told(ENOSPC).exitCode == 73)
        #expect(told(EROFS).hint?.hasPrefix("that disk is read-only") == true)
        #expect(told(EACCES).hint?.hasPrefix("make it writable for this user") == true)
    }

    @Test func `settings that cannot be written for children are told with their file`() throws {
        // A folder in the file's place: whoever runs this, it cannot be replaced.
        let path = temporary.path + "/settings.toml"
        try SmallFile.makeFolder(path + "/x")
        let failure = #expect(throws: ClusterFailure.self) {
            try Glue.writeSettings(Settings(), SchemaFile.standard, to: path)
        }
        #expect(failure?.message.hasPrefix("\(path): cannot be written: ") == true)
    }

    @Test func `a start that failed takes away what it made, and nothing of anybody else's`() throws
    {
        let folder = DataFolder(path: temporary.path + "/var")
        func make() throws {
            try folder.prepare()
            let lock = try folder.takeLock(patienceMs: 0) { _ in }
            try LocalCredentials.ensure(at: folder.localCredentials)
            try SmallFile.write([], to: folder.settingsSnapshot)
            withExtendedLifetime(lock) {}
        }
        try make()
        folder.removeUnused()
        #expect(!SmallFile.exists(folder.path))

        try make()
        try SmallFile.makeFolder(folder.path + "/spool")
        folder.removeUnused()
        #expect(SmallFile.exists(folder.path + "/spool") && SmallFile.exists(folder.lock))

        try folder.prepare()
        let lock = try folder.takeLock(patienceMs: 5000) { _ in }
        folder.removeUnused()
        #expect(SmallFile.exists(folder.runFolder))
        withExtendedLifetime(lock) {}
    }

    @Test(
        arguments: [
            ("123 (hydrant-worker0) S 45 123 1", 45), ("1 (a) b) 7 (c) R 9 1", 9), ("1 (a", nil),
            ("", nil), ("1 (a) S", nil), ("1 (a) S x", nil),
        ] as [(String, Int32?)])
    func `a process's parent is read behind its name`(stat: String, parent: Int32?) {
        #expect(SpoolHolder.parent(stat: stat) == parent)
    }

    @Test func `a spool that no other cluster's worker has is free`() throws {
        var settings = Settings()
        settings.spoolFolder = temporary.path
        #expect(SpoolHolder.find(settings) == nil)
        // Whoever else has a shard is left to its worker, which waits for it.
        try SmallFile.makeFolder(temporary.path + "/shard-0")
        let lock = try FileLock.take(temporary.path + "/shard-0/lock")
        #expect(Glue.holder(of: 0, settings) == nil, "it does not say who it is")
        #expect(SpoolHolder.find(settings) == nil)
        withExtendedLifetime(lock) {}
    }

    @Test func `the key pair is private, of AWS's form, and stays`() throws {
        let path = temporary.path + "/local-credentials"
        try LocalCredentials.ensure(at: path)
        let first = try SmallFile.read(path)
        try LocalCredentials.ensure(at: path)
        #expect(try SmallFile.read(path) == first)
        let lines = String(decoding: first, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "[default]")
        #expect(lines[1].wholeMatch(of: /aws_access_key_id = HYLOCAL[A-Z2-7]{13}/) != nil)
        #expect(lines[2].wholeMatch(of: /aws_secret_access_key = [A-Za-z0-9+\/]{40}/) != nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(LocalCredentials.random() != LocalCredentials.random())
    }

    @Test func `children get a copy of the schema that was checked, not of the file`() throws {
        let text = """
            table = "t"
            [[column]]
            name = "id"
            type = "varchar(36)"
            source = "hit_id"

            """
        let path = temporary.path + "/mine.toml"
        try SmallFile.write(Array(text.utf8), to: path)
        let schema = try SchemaFile.load(path: path)
        try SmallFile.write(Array("broken".utf8), to: path)
        var settings = Settings()
        settings.schemaFile = path
        try Glue.writeSettings(settings, schema, to: temporary.path + "/settings.toml")
        let copy = temporary.path + "/settings-schema.toml"
        #expect(try SmallFile.read(copy) == Array(text.utf8))
        let written = String(
            decoding: try SmallFile.read(temporary.path + "/settings.toml"), as: UTF8.self)
        #expect(written.contains(copy) && !written.contains("mine.toml"))
    }
}

@Suite struct ListeningSocketsTests {
    private func open(
        port: UInt16, count: Int = 1, patienceMs: UInt64 = 0
    ) throws -> ListeningSockets {
        try ListeningSockets.open(
            setting: "listen", .init(host: "127.0.0.1", port: port), count: count,
            patienceMs: patienceMs, log: { _ in })
    }

    @Test(arguments: [1, 3]) func `a second cluster on the port is refused by name`(count: Int)
        throws
    {
        let first = try open(port: 0, count: count)
        defer { first.close() }
        #expect(first.port > 0 && first.descriptors.count == count)
        let failure = #expect(throws: ClusterFailure.self) { try open(port: first.port) }
        #expect(throws: ClusterFailure.self) { try open(port: first.port, count: 2) }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("listen = 127.0.0.1:\(first.port): address already in use"))
        #expect(message.contains("(pid \(ownPid))"))
        #expect(failure?.exitCode == 69)
    }

    @Test func `a port that becomes free in time is taken`() throws {
        let first = try open(port: 0)
        let port = first.port
        let thread = Thread {
            sleepMs(150)
            first.close()
        }
        thread.start()
        let second = try open(port: port, patienceMs: 5000)
        #expect(second.port == port)
        second.close()
    }

    @Test func `an address this host does not have is told so`() {
        let failure = #expect(throws: ClusterFailure.self) {
            try ListeningSockets.open(
                setting: "listen", .init(host: "203.0.113.7", port: 0), count: 1, patienceMs: 5000,
                log: { _ in })
        }
        #expect(failure?.message.contains("cannot assign requested address") == true)
    }

    @Test func `the kernel's table gives the listeners of a port, and only those`() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
               1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 222 1
               2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
               3: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 444 1
            cut: 0100007F
            """
        #expect(SocketHolder.listeningInodes(table, port: 8080) == ["111", "444"])
        #expect(SocketHolder.listeningInodes(table, port: 80) == [])
        #expect(SocketHolder.listeningInodes("", port: 8080) == [])
    }
}
