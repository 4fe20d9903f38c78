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
}
