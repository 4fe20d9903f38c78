import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `ops/chaos`, shortened: what `make chaos` does in full length. How soon things are back is for
    /// it to judge, on a machine that does nothing else; here only that they are.
    @Suite struct ChaosTests {
        @Test(arguments: ["spooled", "fsync"])
        func `fifteen seconds of kill -9, every role, and nothing that was promised is lost`(
            ack: String
        ) throws {
            // One of them in full; the other to see that it is no different.
            let seconds = ack == "spooled" ? 15 : 5
            try expectGood("kills", "--seconds", "\(seconds)", "--ack", ack)
        }

        @Test func `everything killed at random instants, a dozen times`() throws {
            try expectGood("restarts", "--rounds", "12", "--back-limit", "15")
        }

        @Test func `routers killed: nobody is refused, and they are back`() throws {
            try expectGood("routers", "--rounds", "4", "--back-limit", "5")
        }

        @Test func `all workers killed at once: nobody is cut off, and they are back`() throws {
            try expectGood("workers", "--rounds", "4", "--back-limit", "10")
        }

        @Test func `reloads to other sizes with kills in between`() throws {
            try expectGood("resize", "--seconds", "8")
        }

        // MARK: The judges themselves

        @Test func `the judges of ops/chaos see what is planted`() throws {
            let output = try run(
                "python3", ["-m", "unittest", "discover", "-s", "ops", "-p", "selftest.py"],
                in: root, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
            #expect(output.status == 0, "\(output.stderr)")
            #expect(output.stderr.contains("OK"), "\(output.stderr)")
        }

        @Test func `a cluster that breaks its promise is found out`() throws {
            // Its Firehose takes the rows and throws them away.
            let output = try chaos(["kills", "--seconds", "3", "--set", "local.sink=discard"])
            #expect(output.status == 1, "\(output.stdout)\(output.stderr)")
            #expect(output.stdout.contains(#/FAULT: [\d,]+ lost: /#), "\(output.stdout)")
            let left = try #require(output.stdout.firstMatch(of: #/left for inspection: (\S+)/#))
            try FileManager.default.removeItem(atPath: String(left.1))
        }

        @Test func `what it cannot do it says`() throws {
            let absent = try chaos(["kills", "--binary", "/nowhere/hydrant"])
            #expect(absent.status == 70)
            #expect(absent.stderr.contains("make build"), "\(absent.stderr)")
            let often = try chaos(["kills", "--every-ms", "1"])
            #expect(often.status == 2 && often.stderr.contains("50 ms"), "\(often.stderr)")
        }
    }
}

/// Runs it with the binary under test.
func chaos(_ arguments: [String]) throws -> Output {
    try run(
        root.appendingPathComponent("ops/chaos").path,
        arguments + ["--set", "local.priority=normal"],
        environment: ["TESTED_HYDRANT": binary], timeoutSeconds: 240)
}

/// Its output has the seed, the faults, and where it left the folder.
func expectGood(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    let output = try chaos(arguments)
    #expect(
        output.status == 0, "\(output.stdout)\(output.stderr)", sourceLocation: sourceLocation)
}
