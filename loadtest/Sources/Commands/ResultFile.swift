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
    print(text, terminator: "")
}

var standardOutputIsColored: Bool { isColored(1) }
var errorsAreColored: Bool { isColored(2) }

/// A terminal that takes colour, and nobody refuses it.
private func isColored(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && environmentVariable("NO_COLOR") == nil
        && environmentVariable("TERM") != "dumb"
}
