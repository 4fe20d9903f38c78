import Core

/// Finds the shortest history that still fails.
struct Search {
    struct Failure {
        var plan: Plan
        var flaw: String
    }

    private let encoder: UnsafeMutablePointer<RowEncoder>

    init(_ encoder: UnsafeMutablePointer<RowEncoder>) { self.encoder = encoder }

    func failure(of plan: Plan) -> Failure? {
        guard let flaw = Simulation(plan, encoder: encoder).run() else { return nil }
        var shortest = Failure(plan: plan, flaw: flaw)
        while let shorter = shorter(than: shortest) { shortest = shorter }
        return shortest
    }

    /// Without one of its events, or with half of its traffic.
    private func shorter(than failure: Failure) -> Failure? {
        var candidates: [Plan] = []
        for index in failure.plan.events.indices.reversed() {
            var plan = failure.plan
            plan.events.remove(at: index)
            candidates.append(plan)
        }
        for index in failure.plan.poison.indices {
            var plan = failure.plan
            plan.poison.remove(at: index)
            candidates.append(plan)
        }
        if failure.plan.trafficMs > 200 {
            var plan = failure.plan
            plan.trafficMs = plan.trafficMs * 3 / 4
            // What comes later would strike when all faults are to be over.
            plan.events.removeAll { $0.atMs > plan.trafficMs + 100 }
            candidates.append(plan)
        }
        for plan in candidates {
            if let flaw = Simulation(plan, encoder: encoder).run() {
                return Failure(plan: plan, flaw: flaw)
            }
        }
        return nil
    }
}
