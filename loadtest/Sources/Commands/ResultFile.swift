import Foundation
import Platform

/// Result files as input.
enum ResultFile {
    static func read(_ path: String) throws -> RunResult {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw LoadFailure(
                "\(path): cannot be read",
                hint: "name a file that `hydrant load -o FILE.json` wrote",
                exitCode: LoadExit.noInput)
        }
        do {
            return try RunResult(json: bytes)
        } catch let error as ResultFileError {
            throw LoadFailure("\(path): \(error)", exitCode: LoadExit.noInput)
        }
    }
}

func printResult(_ result: RunResult, asJSON: Bool, spectrum: Bool) throws {
    let text =
        asJSON
        ? String(decoding: try result.json(), as: UTF8.self)
        : TextSummary(result, showsSpectrum: spectrum, usesColor: standardOutputIsColored).text
    try printOut(text)
}

/// To standard output, or a failure. A reader that left early has seen what it wanted.
func printOut(_ text: String) throws(LoadFailure) {
    do throws(Failure) {
        try SmallFile.writeAll(Array(text.utf8), to: 1)
    } catch {
        if error.number == EPIPE { return }
        throw LoadFailure(
            "standard output: \(error.reason.lowercased())",
            hint: "write the result to a file as well: -o FILE.json",
            exitCode: LoadExit.cannotCreate)
    }
}

var standardOutputIsColored: Bool { isColored(1) }
var errorsAreColored: Bool { isColored(2) }

/// A terminal that takes colour, and nobody refuses it.
private func isColored(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && environmentVariable("NO_COLOR") == nil
        && environmentVariable("TERM") != "dumb"
}
