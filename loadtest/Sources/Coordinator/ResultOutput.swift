import Glibc
import Platform

/// A file a result is written to. Its name's end says in which form.
struct ResultOutput {
    enum Form: String, CaseIterable {
        case html, json, csv, hgrm, txt
    }

    let path: String
    let form: Form

    /// Also proves that the file can be written: better before a run of an hour than after.
    init(_ path: String) throws(LoadFailure) {
        self.path = path
        guard let form = Form.allCases.first(where: { path.hasSuffix(".\($0)") }) else {
            throw LoadFailure(
                "-o \(path): the name does not say in which form",
                hint: "end it in "
                    + Form.allCases.map { ".\($0)" }.joined(separator: ", "),
                exitCode: LoadExit.usage)
        }
        self.form = form
        // A file made by that goes again: a run that never begins leaves none.
        let made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if made >= 0 { unlink(path) }
        if made < 0 && errno != EEXIST { throw unwritable(Failure(errnoOf: "open")) }
        let descriptor = made >= 0 ? made : open(path, O_WRONLY | O_CLOEXEC)
        if descriptor < 0 { throw unwritable(Failure(errnoOf: "open")) }
        close(descriptor)
    }

    func write(_ result: RunResult) throws { try write(try bytes(of: result)) }

    private func bytes(of result: RunResult) throws -> [UInt8] {
        switch form {
        case .json: try result.json()
        case .html: Array(HTMLReport(result).html.utf8)
        case .csv: Array(result.csv().utf8)
        case .hgrm: Array(result.hgrm(.response).utf8)
        case .txt:
            Array(TextSummary(result, showsSpectrum: true, usesColor: false).text.utf8)
        }
    }

    func write(_ bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw unwritable(Failure(errnoOf: "open")) }
        defer { close(descriptor) }
        do throws(Failure) {
            try SmallFile.writeAll(bytes, to: descriptor)
        } catch {
            throw unwritable(error)
        }
    }

    private func unwritable(_ failure: Failure) -> LoadFailure {
        LoadFailure(
            "-o \(path): \(failure.reason.lowercased())",
            hint: Self.hint(failure.number),
            exitCode: LoadExit.cannotCreate)
    }

    private static func hint(_ errno: Int32) -> String {
        switch errno {
        case ENOENT: "make its folder first"
        case ENOSPC, EDQUOT, EFBIG: "make room there, or name a file on another disk"
        default: "name a file in a folder that this user can write to"
        }
    }
}

extension [ResultOutput] {
    /// Writes all of them. One that cannot be written keeps none of the others from it; the first
    /// failure is returned, to be thrown once everything else is done.
    func write(_ result: RunResult) throws -> LoadFailure? {
        var first: LoadFailure?
        for output in self {
            do {
                try output.write(result)
            } catch let failure as LoadFailure {
                if first == nil { first = failure }
            }
        }
        return first
    }
}
