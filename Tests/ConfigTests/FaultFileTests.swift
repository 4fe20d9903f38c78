import Config
import Core
import Testing

@Suite struct FaultFileTests {
    private func read(_ text: String) throws(ConfigProblems) -> FaultEntries {
        try FaultFile.read(Array(text.utf8), file: "faults.toml")
    }

    private func problems(_ text: String) -> String {
        do throws(ConfigProblems) {
            _ = try read(text)
            return ""
        } catch {
            return error.render(color: false)
        }
    }

    @Test func `a file is its entries in order, and a seed`() throws {
        let entries = try read(
            """
            seed = 7
            [[fault]]
            kind = "status"
            streams = "hydrant-*"
            for = "60s"

            [[fault]]
            kind = "partial"
            entries = [0, 3]
            """)
        #expect(entries.seed == 7)
        #expect(entries.faults.map(\.kind) == [.status, .partial])
        #expect(entries.faults[0].streams == "hydrant-*" && entries.faults[0].forMs == 60_000)
        #expect(entries.faults[1].entries == [0, 3])
    }

    @Test func `an empty file is a plan without faults`() throws {
        #expect(try read("") == FaultEntries())
    }

    @Test func `problems name the line of their own entry`() {
        let shown = problems(
            """
            [[fault]]
            kind = "html"
            [[fault]]
            # the second
            kind = "html"
            count = "x"
            """)
        #expect(shown.hasPrefix("faults.toml:6:1: error: count must be"), "\(shown)")
        #expect(problems("seed = -1\n").hasPrefix("faults.toml:1:1: error: seed must be"))
        #expect(
            problems("[[fault]]\nname = \"x\"\n").contains("1:3: error: an entry without a kind"))
        #expect(problems("fault = 3\n").contains("fault is not a list of entries"))
        #expect(problems("fault = [{kind = \"hangs\"}]\n").contains("did you mean \"hang\"?"))
        #expect(problems("[[fault]\n").contains("faults.toml:1:"))
    }

    @Test func `a file that is not there is named`() {
        let failure = #expect(throws: ConfigProblems.self) {
            _ = try FaultFile.load(path: "/nonexistent/faults.toml")
        }
        #expect(failure?.render(color: false).contains("/nonexistent/faults.toml") == true)
    }
}
