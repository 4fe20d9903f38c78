import Testing

/// Habits that no compiler checks.
@Suite struct LintTests {
    static let linesMax = 450
    /// Longer files, each with the most it may have. Shrinking is welcome; growing is not.
    static let longFiles: [String: Int] = [:]

    static let sourceSuffixes: Set = ["swift", "c", "h", "cpp", "py", "js", "sql", ""]

    @Test func `no source file is too long to keep in mind`() throws {
        let sources = ["Sources", "Tests", "loadtest", "ops"].flatMap(ProjectFiles.files(below:))
            .filter { Self.sourceSuffixes.contains($0.suffix) }
        #expect(sources.count > 50)
        for file in sources {
            let lines = try file.text.split(separator: "\n", omittingEmptySubsequences: false).count
            let most = Self.longFiles[file.path] ?? Self.linesMax
            #expect(lines <= most, "\(file.path) has \(lines) lines, more than \(most): split it")
        }
    }

    /// Written in two halves, so that this file does not hold them.
    static let marks = ["TO" + "DO", "FIX" + "ME"]

    @Test func `nothing is left marked as unfinished`() throws {
        for file in ProjectFiles.texts {
            let text = try file.text
            for mark in Self.marks {
                #expect(!text.contains(mark), "\(file.path): finish it, or open an issue for it")
            }
        }
    }

    @Test func `nothing names a path of the machine it was written on`() throws {
        let places = ["/work" + "/", "/home" + "/"]
        for file in ProjectFiles.texts {
            let text = try file.text
            for place in places {
                #expect(!text.contains(place), "\(file.path) names \(place)")
            }
        }
    }

    /// A type that is named like a module hides the module: `Router.Thing` no longer compiles.
    @Test func `no type is named like a module`() throws {
        let declaration =
            #/\b(?:struct|class|enum|actor|protocol|typealias)\s+(Router|Worker|Supervisor|Core|Platform|Config|Log|LocalFirehose|LoadTest)\b/#
        for file in sources {
            for line in try file.text.split(separator: "\n") where !line.isComment {
                #expect(!line.contains(declaration), "\(file.path): \(line)")
            }
        }
    }

    /// The processes are event loops: what runs beside one runs at no known moment, and allocates.
    @Test func `no process uses Swift concurrency`() throws {
        let use = #/\bTask\s*(?:\{|\.|<)|\bfunc\b.*\)\s*async\b|\bactor\s+[A-Z]|@MainActor/#
        for file in sources {
            for line in try file.text.split(separator: "\n") where !line.isComment {
                #expect(!line.contains(use), "\(file.path): \(line)")
            }
        }
    }

    /// With unchecked code a broken precondition is undefined behaviour, on bytes from strangers.
    @Test func `the release build keeps its checks`() throws {
        let manifest = try ProjectFiles.File(path: "Package.swift").text
        #expect(!manifest.contains("-O" + "unchecked"))
        #expect(!manifest.contains("exclusivity=unchecked"))
    }

    /// On Linux it crashes while looking for open descriptors when there are many, and keeps its own
    /// open until a run loop turns.
    @Test func `no test starts a program with Foundation's Process`() throws {
        let use = #/\bProcess(?:\.init)?\(\)|\bProcess\.run\(/#
        for file in ProjectFiles.swiftFiles(below: "Tests") {
            for line in try file.text.split(separator: "\n") where !line.isComment {
                #expect(
                    !line.contains(use),
                    "\(file.path): use SpawnedProcess, whose end is seen and leaks nothing: \(line)"
                )
            }
        }
    }

    /// `#expect(waits(for: isReady))` evaluates an autoclosure once and passes on what it got: a
    /// helper that asks again and again would get the first answer every time.
    @Test func `no test helper takes an autoclosure`() throws {
        let mark = "@auto" + "closure"
        for file in ProjectFiles.swiftFiles(below: "Tests") {
            #expect(!(try file.text.contains(mark)), "\(file.path): take a closure")
        }
    }

    private var sources: [ProjectFiles.File] {
        ProjectFiles.swiftFiles(below: "Sources") + ProjectFiles.swiftFiles(below: "loadtest")
    }
}

extension Substring {
    fileprivate var isComment: Bool { drop(while: \.isWhitespace).hasPrefix("//") }
}
