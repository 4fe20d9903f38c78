import Foundation

/// How a plan reaches the generator processes.
extension LoadPlan {
    func json() throws -> [UInt8] { [UInt8](try JSONEncoder().encode(self)) }

    init(json bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(LoadPlan.self, from: Data(bytes))
    }
}
