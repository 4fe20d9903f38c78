/// Traffic that looks like adtech, as a scenario file describes it.
public struct Scenario: Codable, Equatable, Sendable {
    public var name: String

    public init(name: String) { self.name = name }
}
