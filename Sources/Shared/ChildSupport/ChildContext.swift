import Config
import Core
import Glibc
import Log
import Logging
import Platform

/// What every child of the supervisor has: its loop, its page of counters, and the control channel.
///
/// Made once, before anything else; lives as long as the process.
public final class ChildContext {
    public let inheritance: Inheritance
    public let settings: Settings
    public let schema: Schema
    public let log: Logger
    public let loop: Loop
    public let counters: CounterPage
    private let region: SharedRegion

    private var didOrder: Order?
    private var supervisorGone: (() -> Void)?
    private var watch: ReadableWatch?
    private var terminations: SignalWatch?
    private var heart: Timer?

    /// An order from the supervisor; the descriptor is -1 when none came with it.
    public typealias Order = (_ message: ControlMessage, _ descriptor: Int32) -> Void

    /// Reads what the supervisor wrote for its children, and maps what it handed down.
    public init(_ inheritance: Inheritance) throws {
        prepareProcess(name: "hydrant-\(inheritance.role.short)\(inheritance.slot)", isChild: true)
        self.inheritance = inheritance
        region = try Self.mapCounters(inheritance)
        counters = CounterPage(at: region.base + inheritance.counterOffset)
        counters.announce(pid: getpid())
        do {
            settings = try SettingsFile.read(inheritance.settingsFile)
            schema =
                try settings.schemaFile.map { path in try SchemaFile.load(path: path).schema }
                ?? SchemaFile.standard.schema
        } catch {
            counters.write(.lastWords, "\(error)")
            throw error
        }
        let name = "\(inheritance.role.rawValue) \(inheritance.slot)"
        LogSetup.bootstrap(
            process: name, level: settings.logLevel, format: settings.logFormat)
        log = Logger(label: name)
        loop = try Loop.make()
        closeOnExec(Inheritance.control)
        closeOnExec(Inheritance.counters)
    }

    private static func mapCounters(_ inheritance: Inheritance) throws(Failure) -> SharedRegion {
        let byteCount = try fileByteCount(Inheritance.counters)
        guard inheritance.counterOffset >= 0,
            inheritance.counterOffset % CounterPage.byteCount == 0,
            inheritance.counterOffset + CounterPage.byteCount <= byteCount
        else { throw Failure(number: EINVAL, call: "counter page") }
        return try SharedRegion.map(descriptor: Inheritance.counters, byteCount: byteCount)
    }

    /// Leaves a text where the supervisor finds it when this process has ended: it goes into the
    /// obituary. The first line counts, cut to what a page has room for.
    ///
    /// Why not the end of stderr, read through a pipe: every line of every child would pass through
    /// the supervisor, and would be lost, or block its writer, with the supervisor dead or stopped.
    /// stderr is inherited instead. What the runtime prints when it traps stands there, right above
    /// the obituary; what a child knows of its own end is in this slot, which outlives it.
    public func leaveLastWords(_ text: String) {
        counters.write(.lastWords, text)
    }

    /// Begins to listen to the supervisor. `supervisorGone` is called once, when it has died.
    public func obey(
        didOrder: @escaping Order, supervisorGone: @escaping () -> Void
    ) throws(Failure) {
        self.didOrder = didOrder
        self.supervisorGone = supervisorGone
        let me = Unmanaged.passUnretained(self).toOpaque()
        watch = try ReadableWatch(
            descriptor: Inheritance.control, in: loop, owner: me,
            readable: { Unmanaged<ChildContext>.fromOpaque($0).takeUnretainedValue().read() })
        // A SIGTERM meant for this child alone: the supervisor decides how it leaves.
        terminations = SignalWatch(
            SIGTERM, in: loop, owner: me,
            fire: { me, _ in
                Unmanaged<ChildContext>.fromOpaque(me).takeUnretainedValue().say(
                    ControlMessage(.drainMe))
            })
    }

    /// The process can work now, and every ledger counter is seeded: says so, and begins to beat.
    public func becomeReady() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        heart = Timer(
            in: loop, owner: me,
            fire: {
                let me = Unmanaged<ChildContext>.fromOpaque($0).takeUnretainedValue()
                me.counters.beat(nowMs: me.loop.nowMs)
            })
        heart?.start(afterMs: 0, repeatMs: Self.beatMs)
        counters.enter(.ready)
        say(ControlMessage(.ready))
    }

    private static let beatMs: UInt64 = 500

    /// Tells the supervisor. A supervisor that is gone is noticed by its end-of-file, not here.
    public func say(_ message: ControlMessage) {
        withUnsafeTemporaryAllocation(byteCount: ControlMessage.byteCount, alignment: 8) { room in
            message.write(to: room.baseAddress!)
            try? sendMessage(UnsafeRawBufferPointer(room), over: Inheritance.control)
        }
    }

    private func read() {
        while true {
            let outcome = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { room in
                readOne(UnsafeMutableRawBufferPointer(room))
            }
            if !outcome { return }
        }
    }

    /// One message; false when there is none.
    private func readOne(_ room: UnsafeMutableRawBufferPointer) -> Bool {
        switch try? receiveMessage(into: room, from: Inheritance.control) {
        case .message(let byteCount, let descriptors):
            guard
                let message = ControlMessage.read(
                    UnsafeRawBufferPointer(rebasing: room[0..<byteCount]))
            else {
                descriptors.forEach { close($0) }
                return true
            }
            if message.kind == .quit { _exit(0) }
            didOrder?(message, descriptors.first ?? -1)
            descriptors.dropFirst().forEach { close($0) }
            return true
        case .nothing: return false
        case .closed, nil:
            watch?.close()
            watch = nil
            let call = supervisorGone
            supervisorGone = nil
            call?()
            return false
        }
    }
}

extension Inheritance.Role {
    /// For the 15 bytes of a process name.
    var short: String {
        switch self {
        case .router: "router"
        case .worker: "worker"
        case .localFirehose: "local"
        }
    }
}
