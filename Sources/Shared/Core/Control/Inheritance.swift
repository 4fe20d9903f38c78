/// How a child of the supervisor starts: its place, and what it finds at which descriptor.
public struct Inheritance: Equatable, Sendable {
    public enum Role: String, Sendable, CaseIterable {
        case router, worker
        case localFirehose = "local-firehose"
    }

    /// Descriptors sit at fixed numbers, so neither side has to be told.
    public static let control: Int32 = 3
    public static let counters: Int32 = 4
    /// Router: its listening sockets, one after the other. Local Firehose: its one.
    public static let firstSocket: Int32 = 5

    public var role: Role
    public var slot: Int
    /// Drawn at random for each start, never 0.
    public var incarnation: UInt64
    /// Byte offset of this incarnation's page in the counter file.
    public var counterOffset: Int
    public var socketCount: Int
    /// The effective settings, as the supervisor wrote them for its children.
    public var settingsFile: String

    public init(
        role: Role, slot: Int, incarnation: UInt64, counterOffset: Int, socketCount: Int,
        settingsFile: String
    ) {
        self.role = role
        self.slot = slot
        self.incarnation = incarnation
        self.counterOffset = counterOffset
        self.socketCount = socketCount
        self.settingsFile = settingsFile
    }

    /// The words after the program's name. The first is the role.
    public var arguments: [String] {
        [
            role.rawValue, "--slot", "\(slot)", "--incarnation", "\(incarnation)",
            "--counter-offset", "\(counterOffset)", "--sockets", "\(socketCount)",
            "--settings", settingsFile,
        ]
    }

    /// What is wrong with a child's words. Only a person at a terminal ever sees it.
    public enum Flaw: Error, Equatable {
        case role(String), unknown(String), missing(String), value(String)
    }

    /// Reads what `arguments` made: the role first, then every option once, in any order.
    public init(arguments: [String]) throws(Flaw) {
        guard let role = Role(rawValue: arguments.first ?? "") else {
            throw .role(arguments.first ?? "")
        }
        var given: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard Self.options.contains(name), given[name] == nil else { throw .unknown(name) }
            guard let value = rest.popFirst() else { throw .missing(name) }
            given[name] = value
        }
        func text(_ name: String) throws(Flaw) -> String {
            guard let value = given[name] else { throw .missing(name) }
            return value
        }
        func number(_ name: String, max: Int) throws(Flaw) -> Int {
            guard let value = Int(try text(name)), value >= 0, value <= max else {
                throw .value(name)
            }
            return value
        }
        guard let incarnation = UInt64(try text("--incarnation")), incarnation > 0 else {
            throw .value("--incarnation")
        }
        let offset = try number("--counter-offset", max: 1 << 30)
        guard offset > 0, offset % CounterPage.byteCount == 0 else {
            throw .value("--counter-offset")
        }
        self.init(
            role: role,
            slot: try number("--slot", max: Swift.max(Limits.routersMax, Limits.workersMax) - 1),
            incarnation: incarnation, counterOffset: offset,
            socketCount: try number("--sockets", max: Limits.routersMax),
            settingsFile: try text("--settings"))
    }

    private static let options: Set<String> = [
        "--slot", "--incarnation", "--counter-offset", "--sockets", "--settings",
    ]
}
