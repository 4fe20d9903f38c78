import Core
import TestSupport
import Testing

@testable import Supervisor

@Suite struct LinkPlanTests {
    private func router(_ slot: Int, _ incarnation: UInt64) -> LinkPlan.End {
        LinkPlan.End(role: .router, slot: slot, incarnation: incarnation)
    }

    private func worker(_ slot: Int, _ incarnation: UInt64) -> LinkPlan.End {
        LinkPlan.End(role: .worker, slot: slot, incarnation: incarnation)
    }

    @Test func `a newborn gets a link with every living peer`() {
        var plan = LinkPlan()
        #expect(plan.spawned(worker(0, 1)) == [])
        #expect(plan.spawned(worker(1, 2)) == [])
        #expect(
            plan.spawned(router(0, 3)) == [
                .init(router: router(0, 3), worker: worker(0, 1)),
                .init(router: router(0, 3), worker: worker(1, 2)),
            ])
        plan.died(worker(1, 2))
        #expect(
            plan.spawned(worker(1, 4)) == [.init(router: router(0, 3), worker: worker(1, 4))])
        #expect(plan.spawned(worker(1, 4)) == [])
    }

    @Test func `the local firehose has no links`() {
        var plan = LinkPlan()
        _ = plan.spawned(router(0, 1))
        _ = plan.spawned(worker(0, 2))
        #expect(plan.spawned(.init(role: .localFirehose, slot: 0, incarnation: 3)) == [])
    }

    @Test(arguments: 0..<50)
    func `two that ever live together get one link, others none`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        var plan = LinkPlan()
        var living: [LinkPlan.End] = []
        var made: [LinkPlan.Link: Int] = [:]
        var met: Set<LinkPlan.Link> = []
        for incarnation in 1...200 {
            if random.roll(2) == 0, let index = living.indices.randomElement(using: &random) {
                plan.died(living.remove(at: index))
                continue
            }
            let slot = Int(random.roll(4))
            let end =
                random.roll(2) == 0
                ? router(slot, UInt64(incarnation)) : worker(slot, UInt64(incarnation))
            for peer in living where peer.role != end.role {
                met.insert(
                    end.role == .router
                        ? .init(router: end, worker: peer) : .init(router: peer, worker: end))
            }
            living.append(end)
            for link in plan.spawned(end) { made[link, default: 0] += 1 }
        }
        #expect(Set(made.keys) == met)
        #expect(made.values.allSatisfy { $0 == 1 })
    }
}
