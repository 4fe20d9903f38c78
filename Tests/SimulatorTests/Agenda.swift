import TestSupport

/// What is to happen, by simulated time; at one time in the order in which it was decided.
final class Agenda {
    private struct Entry {
        let atMs: UInt64
        let order: UInt64
        let act: () -> Void
    }

    private(set) var nowMs: UInt64 = 1
    /// A binary heap, the next first.
    private var heap: [Entry] = []
    /// Of all that was ever decided.
    private(set) var count: UInt64 = 0

    func after(_ ms: UInt64, _ act: @escaping () -> Void) {
        heap.append(Entry(atMs: nowMs + ms, order: count, act: act))
        count += 1
        var child = heap.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Nothing more is to happen. Who is mentioned in it may then go.
    func end() { heap = [] }

    /// Does the next thing, if it is due by then.
    func step(untilMs: UInt64) -> Bool {
        guard let first = heap.first, first.atMs <= untilMs else {
            nowMs = max(nowMs, untilMs)
            return false
        }
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        sink()
        nowMs = max(nowMs, first.atMs)
        first.act()
        return true
    }

    private func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && precedes(child, least) { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        (heap[a].atMs, heap[a].order) < (heap[b].atMs, heap[b].order)
    }
}
