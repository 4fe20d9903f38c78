import Glibc
import Platform

/// The ledger of a run: a header, then entries in any order. All threads and processes of a run on
/// one host append whole blocks of entries to one file.
enum LedgerFile {
    /// Makes the file, with nothing but its header. It must not be there.
    static func create(path: String, header: LedgerHeader) throws(LedgerFailure) {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if file < 0 { throw creationFailure(path, Failure(errnoOf: "open")) }
        var bytes = [UInt8](repeating: 0, count: LedgerHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        do throws(Failure) {
            try SmallFile.writeAll(bytes, to: file)
            closeDescriptor(file)
        } catch {
            closeDescriptor(file)
            unlink(path)
            throw LedgerFailure(
                message: "--ledger \(path): \(error.reason)",
                hint: "make room there, or name a file on another disk")
        }
    }

    private static func creationFailure(_ path: String, _ failure: Failure) -> LedgerFailure {
        if failure.exists {
            return LedgerFailure(
                message: "--ledger \(path): the file exists; a ledger holds one run",
                hint: "name another file, or remove it if its run no longer matters")
        }
        return LedgerFailure(
            message: "--ledger \(path): \(failure.reason)",
            hint: failure.isAbsent
                ? "make its folder first" : "name a file in a folder that this user can write to")
    }

    /// Says anew, in a ledger that `create` made, when its run began.
    static func setStart(path: String, header: LedgerHeader) {
        let file = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        if file < 0 { return }
        defer { closeDescriptor(file) }
        withUnsafeTemporaryAllocation(byteCount: LedgerHeader.byteCount, alignment: 8) {
            header.write(to: $0.baseAddress!)
            _ = pwrite(file, $0.baseAddress!, LedgerHeader.byteCount, 0)
        }
    }

    /// Opens a ledger that `create` made, to append to it.
    static func openToAppend(path: String) throws(LedgerFailure) -> Int32 {
        let file = Glibc.open(path, O_RDWR | O_APPEND | O_CLOEXEC)
        if file < 0 {
            throw LedgerFailure(
                message: "--ledger \(path): \(Failure(errnoOf: "open").reason)",
                hint: "nobody may remove or replace it while the run lasts")
        }
        do throws(LedgerFailure) {
            _ = try readHeader(file, path: path)
            return file
        } catch {
            closeDescriptor(file)
            throw error
        }
    }

    static func readHeader(path: String) throws(LedgerFailure) -> (
        header: LedgerHeader, byteCount: UInt64
    ) {
        let file = try open(path)
        defer { Files.close(file) }
        let header = try readHeader(file, path: path)
        let byteCount = (try? fileByteCount(file)) ?? LedgerHeader.byteCount
        return (header, UInt64(byteCount))
    }

    static func open(_ path: String) throws(LedgerFailure) -> Int32 {
        do throws(Failure) {
            return try Files.open(FileKind.realPath(path) ?? path)
        } catch {
            throw LedgerFailure(
                message: "--ledger \(path): \(error.reason)",
                hint: error.isAbsent
                    ? "name the file that `hydrant load --ledger FILE` wrote"
                    : "make it readable for this user")
        }
    }

    static func readHeader(_ file: Int32, path: String) throws(LedgerFailure) -> LedgerHeader {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: LedgerHeader.byteCount, alignment: 8)
        defer { bytes.deallocate() }
        let got = try? Files.read(file, into: bytes, count: LedgerHeader.byteCount, at: 0)
        do throws(LedgerHeader.Flaw) {
            guard got == LedgerHeader.byteCount else { throw .notALedger }
            return try LedgerHeader.read(bytes)
        } catch {
            throw flawFailure(path, error)
        }
    }

    private static func flawFailure(_ path: String, _ flaw: LedgerHeader.Flaw) -> LedgerFailure {
        switch flaw {
        case .notALedger:
            LedgerFailure(
                message: "--ledger \(path): not a ledger",
                hint: "name the file that `hydrant load --ledger FILE` wrote")
        case .damaged:
            LedgerFailure(
                message: "--ledger \(path): its header is damaged: the run it is of is unknown",
                hint: "restore it from a copy; without it the run cannot be judged")
        case .version(let version):
            LedgerFailure(
                message: "--ledger \(path): version \(version), this hydrant reads "
                    + "\(LedgerHeader.version)",
                hint: "read it with the hydrant that wrote it")
        }
    }

    /// Opens a file to write, empty whatever was in it; -1 and errno when it cannot be.
    static func openToReplace(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
}
