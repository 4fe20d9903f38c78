import Core

/// Decides which links to make: every two incarnations of a router and a worker that ever live at
/// the same time get exactly one, and it is never used again.
struct LinkPlan {
    struct End: Hashable {
        var role: Inheritance.Role
        var slot: Int
        var incarnation: UInt64
    }

    struct Link: Hashable {
        var router: End
        var worker: End
    }

    private(set) var living: Set<End> = []

    /// A child was spawned: the links it needs, in the order of their peers' slots.
    mutating func spawned(_ end: End) -> [Link] {
        let peers = living.filter { $0.role == end.role.linkedRole }
            .sorted { ($0.slot, $0.incarnation) < ($1.slot, $1.incarnation) }
        guard end.role.linkedRole != nil, living.insert(end).inserted else { return [] }
        return peers.map {
            end.role == .router ? Link(router: end, worker: $0) : Link(router: $0, worker: end)
        }
    }

    /// A child died: its links are ended by the kernel, the next incarnation gets new ones.
    mutating func died(_ end: End) { living.remove(end) }
}

extension Inheritance.Role {
    /// Whom a process of this role has links with.
    var linkedRole: Inheritance.Role? {
        switch self {
        case .router: .worker
        case .worker: .router
        case .localFirehose: nil
        }
    }
}
