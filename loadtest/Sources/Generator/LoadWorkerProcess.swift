import Glibc
import Platform

/// A generator process: some threads of a run, and one that leaves when the coordinator is gone.
/// Started by `LoadRun`; returns only to report a failure, its exit code.
func runLoadWorker(index: Int) -> Int32 {
    prepareProcess(name: "hydrant-load", isChild: true)
    // As Ctrl-C, it may be meant for the whole group: the coordinator says when to end.
    signal(SIGTERM, SIG_IGN)
    raiseFileLimit()
    do {
        let plan = try readPlan()
        let board = try openBoard()
        try watchCoordinator(board)
        let log = try plan.replay.map { try ReplayLog(path: $0.file) }
        let naps = try Naps(plan)
        let threads = try (0..<plan.threads).map { thread in
            try GeneratorThread(
                plan, thread: index * plan.threads + thread, board: board, log: log,
                naps: naps)
        }
        let handles = try threads.map { try $0.start() }
        handles.forEach { $0.join() }
        _exit(0)
    } catch {
        let text = (error as? any LoadFailing)?.loadFailure.description ?? "error: \(error)"
        writeLine("\(text) (generator process \(index))", to: 2)
        return (error as? any LoadFailing)?.loadFailure.exitCode ?? LoadExit.system
    }
}

/// Mapped for as long as the process lives: threads write to it until the end.
private func openBoard() throws -> LoadBoard {
    let byteCount = try fileByteCount(LoadInheritance.board)
    let region = UnsafeMutablePointer<SharedRegion>.allocate(capacity: 1)
    region.initialize(
        to: try SharedRegion.map(descriptor: LoadInheritance.board, byteCount: byteCount))
    guard let board = LoadBoard(openingAt: region.pointee.base, byteCount: byteCount) else {
        throw LoadFailure("the board is not one", exitCode: LoadExit.system)
    }
    return board
}

/// By place, not from where the last reader stopped: all processes of the run have the same open file.
private func readPlan() throws -> LoadPlan {
    var bytes = [UInt8](repeating: 0, count: try fileByteCount(LoadInheritance.plan))
    let got = try bytes.withUnsafeMutableBytes {
        try Files.read(LoadInheritance.plan, into: $0.baseAddress!, count: $0.count, at: 0)
    }
    precondition(got == bytes.count, "nobody shortens the plan")
    return try LoadPlan(json: bytes)
}

/// Ends the run when the control channel does, and the process with it if the run does not end.
private func watchCoordinator(_ board: LoadBoard) throws(Failure) {
    let owner = UnsafeMutablePointer<LoadBoard>.allocate(capacity: 1)
    owner.initialize(to: board)
    _ = try startThread(name: "coordinator", owner: owner) { owner in
        // Nothing is ever sent: readable means that the other end is closed.
        var control = pollfd(fd: LoadInheritance.control, events: Int16(POLLIN), revents: 0)
        while poll(&control, 1, -1) < 1 {}
        owner.assumingMemoryBound(to: LoadBoard.self).pointee.mustStop = true
        sleep(3)
        _exit(1)
    }
}
