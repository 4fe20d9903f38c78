import Glibc
import Platform

/// One run: starts the generator processes, gives them the word, watches the board until they are
/// done. It sends nothing itself.
final class LoadRun {
    /// All connections must have had their first attempt within this.
    private static let readySecondsMax = 60.0
    private static let tickMs: UInt64 = 20
    /// From "all are ready" to the first request, so that every thread hears of it in time.
    private static let leadNanoseconds: UInt64 = 30_000_000
    /// What processes have to end after the run.
    private static let leaveNanoseconds: UInt64 = 2_000_000_000

    enum Phase { case starting, running, over }

    let plan: LoadPlan
    let loop: Loop
    let board: LoadBoard
    private(set) var phase = Phase.starting
    private(set) var failure: LoadFailure?
    private(set) var startedAtMicroseconds = realtimeMicroseconds()
    private(set) var wasInterrupted = false

    /// Called every tick while the run goes on, and once when it is over.
    var onTick: () -> Void = {}

    private let region: SharedRegion
    private let boardFile: Int32
    private let bornAt = monotonicNanoseconds()
    private var control: (ours: Int32, theirs: Int32) = (-1, -1)
    private var timer: Timer?
    private var living: Set<Int32> = []
    private var interrupts = 0
    /// When processes that have not ended are killed, after the run.
    private var leaveAt = UInt64.max

    init(_ plan: LoadPlan, in loop: Loop) throws {
        self.plan = plan
        self.loop = loop
        let byteCount = LoadBoard.byteCount(threads: plan.threadsInAll)
        boardFile = try makeMemoryFile(name: "hydrant-load-board", byteCount: byteCount)
        region = try SharedRegion.map(descriptor: boardFile, byteCount: byteCount)
        board = LoadBoard(creatingAt: region.base, threads: plan.threadsInAll)
    }

    private var owner: UnsafeMutableRawPointer {
        Unmanaged.passUnretained(self).toOpaque()
    }

    private static func run(_ owner: UnsafeMutableRawPointer) -> LoadRun {
        Unmanaged<LoadRun>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: Start

    /// Starts the processes and runs the loop until the run is over.
    func perform() throws {
        let planFile = try makePlanFile()
        defer { closeDescriptor(planFile) }
        control = try socketPair(packets: false)
        for worker in 0..<plan.workers {
            let pid = try spawn(
                path: "/proc/self/exe",
                arguments: ["hydrant", LoadInheritance.command, String(worker)],
                descriptors: [-1, -1, 2, control.theirs, boardFile, planFile], in: loop,
                owner: owner
            ) { owner, pid, status, signal in
                LoadRun.run(owner).didExit(pid: pid, status: status, signal: signal)
            }
            living.insert(pid)
        }
        closeDescriptor(control.theirs)
        timer = Timer(in: loop, owner: owner, fire: { LoadRun.run($0).tick() })
        timer?.start(afterMs: 1, repeatMs: Self.tickMs)
        loop.run()
        closeDescriptor(control.ours)
        awaitProcesses()
        timer?.close()
        closeDescriptor(boardFile)
        loop.runNoWait()
        if let failure { throw failure }
    }

    /// Until all have ended; those that do not are killed. They flush the ledger meanwhile.
    private func awaitProcesses() {
        leaveAt = monotonicNanoseconds() + Self.leaveNanoseconds
        if !living.isEmpty { loop.run() }
    }

    private func leaveIfAlone() {
        if living.isEmpty { return loop.stop() }
        if monotonicNanoseconds() > leaveAt { killProcesses() }
    }

    private func killProcesses() { for pid in living { kill(pid, SIGKILL) } }

    private func makePlanFile() throws -> Int32 {
        let file = try makeMemoryFile(name: "hydrant-load-plan", byteCount: 0)
        try SmallFile.writeAll(try plan.json(), to: file)
        return file
    }

    /// Why the ledger is not whole; 0 if all is well.
    var ledgerErrno: Int32 {
        (0..<board.threads).map {
            Int32(truncatingIfNeeded: board.section($0).value(.ledgerErrno))
        }.max() ?? 0
    }

    // MARK: While it runs

    /// Nanoseconds since the run's zero.
    var elapsedNanoseconds: UInt64 {
        let start = board.startNanoseconds
        let now = monotonicNanoseconds()
        return start == 0 || now < start ? 0 : now - start
    }

    private func tick() {
        switch phase {
        case .starting: startIfReady()
        case .running: if allThreads(.done) { end() }
        case .over: return leaveIfAlone()
        }
        if phase != .starting { onTick() }
    }

    private func allThreads(_ state: ThreadState) -> Bool {
        (0..<board.threads).allSatisfy {
            board.section($0).value(.state) >= state.rawValue
        }
    }

    private func startIfReady() {
        if board.mustStop {
            if allThreads(.done) { end() }
        } else if allThreads(.ready) {
            startedAtMicroseconds = realtimeMicroseconds() + Self.leadNanoseconds / 1000
            board.startNanoseconds = monotonicNanoseconds() + Self.leadNanoseconds
            phase = .running
        } else if Double(monotonicNanoseconds() - bornAt) > Self.readySecondsMax * 1e9 {
            fail(
                LoadFailure(
                    "the connections were not made within \(Int(Self.readySecondsMax)) s",
                    hint: "the server may accept too slowly: ask for fewer with -c",
                    exitCode: LoadExit.unreachable))
        }
    }

    private func end() {
        phase = .over
        loop.stop()
    }

    private func fail(_ failure: LoadFailure) {
        if self.failure == nil { self.failure = failure }
        board.mustStop = true
        end()
    }

    /// Ctrl-C: the first ends the run early, the second at once. True: leave now.
    func interrupt() -> Bool {
        wasInterrupted = true
        board.mustStop = true
        interrupts += 1
        if interrupts > 1 { killProcesses() }
        return interrupts > 1
    }

    private func didExit(pid: Int32, status: Int64, signal: Int32) {
        living.remove(pid)
        if status == 0 && signal == 0 { return }
        // Of the others the first says why; what is killed after the run is no news.
        if phase == .over { return }
        let how = signal > 0 ? "was killed by signal \(signal)" : "ended with code \(status)"
        fail(
            LoadFailure(
                "generator process \(pid) \(how)",
                hint: signal == SIGKILL
                    ? "somebody killed it, or memory was short (dmesg tells): then ask for fewer "
                        + "connections" : nil,
                exitCode: signal > 0 ? LoadExit.generatorDied : Int32(truncatingIfNeeded: status)))
    }
}
