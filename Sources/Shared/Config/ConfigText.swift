import Glibc

/// The text of a config file and where its lines are.
struct ConfigText {
    static let byteCountMax = 1 << 20

    /// As the operator named it.
    let file: String
    /// UTF-8, without byte order mark.
    let bytes: [UInt8]
    private let lineStarts: [Int]

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes the bytes of a file: UTF-8 without NUL.
    init(file: String, bytes: [UInt8]) throws(ConfigProblems) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw problem(file, "is UTF-16, not UTF-8", "save it as UTF-8")
        }
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        self.file = file
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
        if let nul = bytes.firstIndex(of: 0) {
            throw ConfigProblems([
                ConfigProblem(
                    place(at: nul), "a NUL byte: this is no text file",
                    hint: "is it the right file? else remove the byte")
            ])
        }
        if let flaw = firstFlaw(in: bytes) {
            throw ConfigProblems([
                ConfigProblem(
                    place(at: flaw), "a byte that is not UTF-8", hint: "save the file as UTF-8")
            ])
        }
    }

    /// Reads a file; nil when there is none of that name.
    static func read(path: String, shownAs file: String) throws(ConfigProblems) -> ConfigText? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            let number = errno
            if number == ENOENT { return nil }
            let reason = String(cString: strerror(number))
            throw problem(file, "cannot be read: \(reason)", remedy(for: number))
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw problem(file, "is a folder, not a file", "name the file: \(file)/hydrant.toml")
        }
        return try ConfigText(file: file, bytes: readAll(descriptor, file: file))
    }

    private static func readAll(
        _ descriptor: Int32, file: String
    ) throws(ConfigProblems) -> [UInt8] {
        var bytes = [UInt8]()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                let reason = String(cString: strerror(errno))
                throw problem(file, "cannot be read: \(reason)", "check the file and its disk")
            }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            if bytes.count > byteCountMax {
                throw problem(
                    file, "is larger than 1 MiB: this is no config file",
                    "is it the right file? all settings together take 2 KiB")
            }
        }
    }

    /// The place of a byte, for a problem.
    func place(at offset: Int) -> ConfigProblem.Place {
        let line = lineNumber(at: offset)
        let start = lineStarts[line - 1]
        let before = bytes[start..<max(start, min(offset, bytes.count))]
        let column = before.count { $0 & 0xC0 != 0x80 } + 1
        return .line(file: file, line: line, column: column, text: lineText(line))
    }

    /// A place that the TOML parser named. At the end of the text it counts past the line's end.
    func place(line: Int, column: Int) -> ConfigProblem.Place {
        let line = min(max(line, 1), lineStarts.count)
        let text = lineText(line)
        let column = min(max(column, 1), text.unicodeScalars.count + 1)
        return .line(file: file, line: line, column: column, text: text)
    }

    func lineNumber(at offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    func lineText(_ line: Int) -> String {
        let start = lineStarts[line - 1]
        var end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
        if end > start, bytes[end - 1] == 13 { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

private func problem(_ file: String, _ message: String, _ hint: String) -> ConfigProblems {
    ConfigProblems([ConfigProblem(.file(file), message, hint: hint)])
}

private func remedy(for number: Int32) -> String {
    switch number {
    case EACCES: "let the user that runs hydrant read it and its folders"
    case ENOTDIR: "a part of that path is a file, not a folder"
    case ELOOP: "its symbolic links run in a circle"
    case ENAMETOOLONG: "choose a shorter path"
    default: "check the path"
    }
}

/// Offset of the first byte that is not UTF-8.
private func firstFlaw(in bytes: [UInt8]) -> Int? {
    do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: bytes.span)
        return nil
    } catch {
        return error.byteOffsets.lowerBound
    }
}
