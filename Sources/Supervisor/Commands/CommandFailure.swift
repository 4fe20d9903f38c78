import ArgumentParser
import Platform

/// Runs a command's body; a failure is told on stderr with its remedy and becomes its exit code.
func reporting(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let failure as ClusterFailure {
        writeLine(failure.description, to: 2)
        throw ExitCode(failure.exitCode)
    } catch let failure as Failure {
        writeLine("error: \(failure)", to: 2)
        throw ExitCode(ClusterExit.system)
    }
}

/// For commands that make no sense on a stopped cluster.
func notRunning(_ folder: DataFolder) -> ClusterFailure {
    ClusterFailure(
        "not running: no cluster answers at \(folder.controlSocket)",
        hint:
            "start it with `hydrant run`; if it runs, name it: go to the folder it was started in, "
            + "or give its --config or --set data=…",
        exitCode: ClusterExit.unavailable)
}

/// For commands that would also do with what a stopped cluster left.
func nothingHere(_ folder: DataFolder, spool: String) -> ClusterFailure {
    ClusterFailure(
        "no cluster answers at \(folder.controlSocket), and none has left a spool in \(spool)",
        hint:
            "start one in this folder with `hydrant run`; if one ran elsewhere, go there, or name "
            + "it with --config or --set data=…",
        exitCode: ClusterExit.unavailable)
}
