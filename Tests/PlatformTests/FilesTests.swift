import Foundation
import Testing

@testable import Platform

@Suite struct FilesTests {
    private let folder = NSTemporaryDirectory() + "hydrant-files-\(UUID().uuidString)"
    private let files = Files()

    private func inFolder<R>(_ body: () throws -> R) throws -> R {
        try files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body()
    }

    private func failure(_ body: () throws -> Void) -> Int32? {
        do {
            try body()
            return nil
        } catch { return (error as? Failure)?.number }
    }

    @Test func `folders are made down to the last, once or again`() throws {
        try inFolder {
            for _ in 0..<2 { try files.makeFolder(folder + "/a/b/c") }
            var status = stat()
            #expect(stat(folder + "/a/b/c", &status) == 0 && status.st_mode & 0o777 == 0o700)
            _ = try files.create(folder + "/file")
            #expect(failure { try files.makeFolder(folder + "/file") } == EEXIST)
            #expect(failure { try files.makeFolder(folder + "/file/x") } == ENOTDIR)
        }
    }

    @Test func `a file that leaves loses its name at once and its bytes piece by piece`() throws {
        try inFolder {
            let path = folder + "/x"
            let step = LeavingFiles.stepBytes
            let file = try files.create(path)
            defer { Files.close(file) }
            try files.truncate(file, to: 2 * step + 5)
            var leaving = LeavingFiles()
            try files.unlink(path, into: &leaving)
            #expect(access(path, F_OK) != 0)
            var rests: [UInt64] = []
            var sizes: [Int] = []
            while !leaving.isEmpty {
                rests.append(leaving.byteCount)
                sizes.append(try fileByteCount(file))
                leaving.freeSome()
            }
            #expect(rests == [2 * step + 5, step + 5, 5])
            #expect(sizes.map(UInt64.init) == rests)
            rests = [leaving.byteCount]
            leaving.freeSome()
            rests.append(leaving.byteCount)
            #expect(rests == [0, 0])
            let freed = leaving.freeAll()
            #expect(!freed)
        }
    }

    @Test func `a file with another name keeps its bytes`() throws {
        try inFolder {
            let file = try files.create(folder + "/x")
            defer { Files.close(file) }
            try files.truncate(file, to: 5000)
            #expect(link(folder + "/x", folder + "/backup") == 0)
            var leaving = LeavingFiles()
            try files.unlink(folder + "/x", into: &leaving)
            #expect(access(folder + "/x", F_OK) != 0)
            let isEmpty = leaving.isEmpty
            #expect(isEmpty)
            #expect(try fileByteCount(file) == 5000)
        }
    }

    @Test func `leaving files can be freed all at once, and absent or empty ones are none`() throws
    {
        try inFolder {
            var leaving = LeavingFiles()
            #expect(failure { try files.unlink(folder + "/absent", into: &leaving) } == ENOENT)
            for (name, byteCount) in [("a", 10), ("empty", 0), ("b", 1 << 20)] {
                let file = try files.create("\(folder)/\(name)")
                try files.truncate(file, to: UInt64(byteCount))
                Files.close(file)
                try files.unlink("\(folder)/\(name)", into: &leaving)
            }
            let byteCount = leaving.byteCount
            #expect(byteCount == 10 + (1 << 20))
            let freed = leaving.freeAll()
            let isEmpty = leaving.isEmpty && leaving.byteCount == 0
            #expect(freed && isEmpty)
        }
    }

    @Test func `bytes are written and read at their place`() throws {
        try inFolder {
            let file = try files.create(folder + "/x")
            defer { Files.close(file) }
            #expect(try files.write(file, "hello", count: 5, at: 3) == 5)
            var bytes = [UInt8](repeating: 9, count: 10)
            #expect(try Files.read(file, into: &bytes, count: 10, at: 2) == 6)
            #expect(bytes == [0] + Array("hello".utf8) + [9, 9, 9, 9])
            try files.truncate(file, to: 4)
            #expect(try fileByteCount(file) == 4)
            try files.syncData(file)
            try files.syncFolder(folder)
            #expect(failure { _ = try files.create(folder + "/x") } == EEXIST)
        }
    }

    @Test func `only regular files are opened, and none is waited for`() throws {
        try inFolder {
            let path = folder + "/x"
            #expect(failure { _ = try Files.open(path) } == ENOENT)
            #expect(mkfifo(path, 0o600) == 0)
            #expect(failure { _ = try Files.open(path) } == EISDIR)
            #expect(failure { _ = try files.openOrCreate(path) } == EISDIR)
            try files.unlink(path)
            #expect(symlink("/dev/null", path) == 0)
            #expect(failure { _ = try Files.open(path) } == ELOOP)
            #expect(failure { _ = try files.openOrCreate(path) } == ELOOP)
            try files.rename(path, to: folder + "/y")
            #expect(failure { _ = try files.openOrCreate(folder) } == EISDIR)
            Files.close(try files.openOrCreate(path))
            Files.close(try Files.open(path))
        }
    }

    @Test func `a folder is listed with sizes and kinds`() throws {
        try inFolder {
            let file = try files.create(folder + "/x")
            _ = try files.write(file, "hello", count: 5, at: 0)
            Files.close(file)
            try files.makeFolder(folder + "/sub")
            #expect(symlink("x", folder + "/link") == 0)
            let entries = try Files.list(folder).sorted { $0.name < $1.name }
            #expect(entries.map(\.name) == ["link", "sub", "x"])
            #expect(entries.map(\.isRegular) == [false, false, true])
            #expect(entries[2].byteCount == 5)
            #expect(failure { _ = try Files.list(folder + "/absent") } == ENOENT)
        }
    }

    @Test func `a lock has one holder until its file is closed`() throws {
        try inFolder {
            let (a, b) = (
                try files.openOrCreate(folder + "/l"), try files.openOrCreate(folder + "/l")
            )
            #expect(try Files.lock(a))
            #expect(try !Files.lock(b))
            Files.close(a)
            #expect(try Files.lock(b))
            Files.close(b)
        }
    }

    @Test func `a gate fails a change or cuts a write short`() throws {
        try inFolder {
            let path = folder + "/x"
            let deny = Files(gate: { _, change in
                change == Files.Change.create.rawValue ? ENOSPC : -3
            })
            #expect(failure { _ = try deny.create(path) } == ENOSPC)
            let file = try files.create(path)
            defer { Files.close(file) }
            #expect(try deny.write(file, "hello", count: 5, at: 0) == 2)
            #expect(try fileByteCount(file) == 2)
        }
    }

    @Test func `the folder of a path is found`() {
        let cases = ["/a/b": "/a", "/a": "/", "/": "/", "a": ".", "a/b/": "a", "a/b//": "a"]
        for (path, folder) in cases { #expect(parent(of: path) == folder) }
    }
}
