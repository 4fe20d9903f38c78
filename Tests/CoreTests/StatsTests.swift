import TestSupport
import Testing

@testable import Core

/// Zeroed memory of whole pages, given back at the end.
private final class Memory {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(_ byteCount: Int) {
        self.byteCount = byteCount
        base = .allocate(byteCount: byteCount, alignment: 4096)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }
}

@Suite struct StatsIdentityTests {
    static let line = CounterIdentity(
        role: .worker, slot: 3, pid: 0x1234, state: .ready, incarnation: 0x1122_3344_5566_7788,
        heartbeatMs: 1000, startedAtMicroseconds: 0x0102_0304_0506_0708)

    static let golden: [UInt8] =
        [
            0x48, 0x59, 0x43, 0x50, 1, 2, 3, 0, 0x34, 0x12, 0, 0, 2, 0, 0, 0,
            0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xE8, 3, 0, 0, 0, 0, 0, 0,
            8, 7, 6, 5, 4, 3, 2, 1,
        ] + [UInt8](repeating: 0, count: 24)

    @Test func `an identity line has these bytes`() throws {
        let memory = Memory(4096)
        memory.base.storeBytes(of: 0xFF, toByteOffset: 63, as: UInt8.self)
        Self.line.write(to: memory.base)
        #expect(Array(memory.bytes[..<64]) == Self.golden)
        let line = try CounterIdentity.read(memory.base)
        #expect(line == Self.line)
    }

    @Test(arguments: [(0, 0xFF), (4, 2), (5, 0), (5, 4), (12, 0), (12, 5), (14, 1)])
    func `a line with a wrong byte is none`(offset: Int, byte: Int) {
        var bytes = Self.golden
        bytes[offset] = UInt8(byte)
        #expect(throws: CounterIdentity.Flaw.self) {
            try bytes.withUnsafeBytes { try CounterIdentity.read($0.baseAddress!) }
        }
    }

    @Test func `a process writes its pid, state and heartbeat into its line`() throws {
        let memory = Memory(4096)
        CounterIdentity(role: .router, slot: 0, incarnation: 9).write(to: memory.base)
        let page = CounterPage(at: memory.base)
        page.announce(pid: 77)
        page.enter(.stopping)
        page.beat(nowMs: 123)
        let line = try CounterIdentity.read(memory.base)
        #expect(line.pid == 77 && line.state == .stopping && line.heartbeatMs == 123)
        #expect(line.incarnation == 9 && line.role == .router)
    }
}

@Suite struct StatsTextTests {
    @Test func `a text comes back as it was written, or cut at a character with an ellipsis`() {
        let memory = Memory(4096)
        let page = CounterPage(at: memory.base)
        #expect(page.text(.goodDeliveryError) == "")
        page.write(.goodDeliveryError, "ServiceUnavailable: slow down")
        page.write(.badDeliveryError, String(repeating: "é", count: 300))
        #expect(page.text(.goodDeliveryError) == "ServiceUnavailable: slow down")
        #expect(page.text(.badDeliveryError) == String(repeating: "é", count: 250) + "…")
        page.write(.goodDeliveryError, "x" + String(repeating: "é", count: 300))
        #expect(page.text(.goodDeliveryError) == "x" + String(repeating: "é", count: 250) + "…")
        page.write(.goodDeliveryError, String(repeating: "é", count: 252))
        #expect(page.text(.goodDeliveryError) == String(repeating: "é", count: 252))
        page.write(.goodDeliveryError, "")
        #expect(page.text(.goodDeliveryError) == "")
    }

    @Test func `a text whose writer died in the middle reads as absent, and can be written again`()
    {
        let memory = Memory(4096)
        let page = CounterPage(at: memory.base)
        page.write(.goodDeliveryError, "before")
        let sequence = memory.base + CounterText.offset
        sequence.storeBytes(of: sequence.load(as: UInt64.self) + 1, as: UInt64.self)
        #expect(page.text(.goodDeliveryError) == "")
        page.write(.goodDeliveryError, "after")
        #expect(page.text(.goodDeliveryError) == "after")
    }

    @Test func `counters and texts do not overlap, and every counter has room`() {
        #expect(Counter.allCases.count <= CounterPage.countersMax)
        #expect(CounterPage.countersOffset + CounterPage.countersMax * 8 <= CounterText.offset)
        let last = CounterText.allCases.map(\.offset).max()! + CounterText.byteCount
        #expect(last <= CounterPage.byteCount)
    }

    @Test func `counter names read as words`() {
        #expect(Counter.goodSpoolBytes.snakeCaseName == "good_spool_bytes")
        #expect(Counter.answers200.snakeCaseName == "answers200")
    }
}

@Suite struct StatsLayoutTests {
    static let layout = CounterFileLayout(
        routers: 2, workers: 3, localFirehoses: 1, supervisorPid: 5, startedAtMicroseconds: 6)

    @Test func `a header has these bytes`() throws {
        let memory = Memory(Self.layout.byteCount)
        Self.layout.write(to: memory.base)
        let counters = UInt8(Counter.allCases.count)
        #expect(
            Array(memory.bytes[..<48]) == Array("HYDRCNTR".utf8) + [
                2, 0, 0, 0, 0, 16, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, counters, 0, 0, 0,
                5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
            ])
        let layout = try CounterFileLayout.read(memory.bytes)
        #expect(layout == Self.layout)
    }

    @Test func `no two pages share a place, and the file holds all of them`() {
        var offsets: Set<Int> = [0]
        for role in Inheritance.Role.allCases {
            for slot in 0..<Self.layout.slots(of: role) {
                for ordinal in 0...1 {
                    offsets.insert(Self.layout.pageOffset(role, slot, ordinal: ordinal))
                }
                offsets.insert(Self.layout.retiredOffset(role, slot))
            }
        }
        #expect(offsets.count == 1 + 6 * 3)
        #expect(offsets.max()! + 4096 == Self.layout.byteCount)
        #expect(
            Self.layout.pageOffset(.worker, 1, ordinal: 7)
                == Self.layout.pageOffset(.worker, 1, ordinal: 1))
    }

    @Test(arguments: [0, 4095, 4096, layout.byteCount - 1])
    func `a file shorter than it says is refused`(count: Int) {
        let memory = Memory(Self.layout.byteCount)
        Self.layout.write(to: memory.base)
        #expect(throws: CounterFileLayout.Flaw.cut(byteCount: count)) {
            try CounterFileLayout.read(UnsafeRawBufferPointer(rebasing: memory.bytes[..<count]))
        }
    }

    @Test(arguments: [0, 8, 12, 17, 21, 24, 29])
    func `a header with a wrong byte is refused`(offset: Int) {
        let memory = Memory(Self.layout.byteCount)
        Self.layout.write(to: memory.base)
        memory.base.storeBytes(of: 0xEE, toByteOffset: offset, as: UInt8.self)
        #expect(throws: CounterFileLayout.Flaw.self) {
            try CounterFileLayout.read(memory.bytes)
        }
    }
}

@Suite struct StatsBookTests {
    private let memory: Memory
    private var book: CounterBook

    init() {
        let layout = CounterFileLayout(routers: 1, workers: 2, localFirehoses: 0)
        memory = Memory(layout.byteCount)
        book = CounterBook(layout: layout, at: memory.base)
    }

    private func page(_ role: Inheritance.Role, _ slot: Int, _ ordinal: Int) -> CounterPage {
        CounterPage(at: memory.base + book.layout.pageOffset(role, slot, ordinal: ordinal))
    }

    private mutating func begin(_ role: Inheritance.Role, _ slot: Int) -> Int {
        book.begin(role, slot, incarnation: 1, nowMicroseconds: 0)
    }

    @Test mutating func `totals outlive their process, levels die with it`() {
        for round in 0..<5 {
            let ordinal = begin(.router, 0)
            #expect(ordinal == round)
            page(.router, 0, ordinal).add(10, to: .requests)
            page(.router, 0, ordinal).set(.connectionsOpen, to: 7)
            #expect(book.value(.requests, .router, 0) == UInt64(round + 1) * 10)
            #expect(book.value(.connectionsOpen, .router, 0) == 7)
            book.fold(.router, 0, ordinal: ordinal)
            book.fold(.router, 0, ordinal: ordinal)
            #expect(book.value(.requests, .router, 0) == UInt64(round + 1) * 10)
            #expect(book.value(.connectionsOpen, .router, 0) == 0)
        }
    }

    @Test mutating func `two living incarnations add up`() {
        let old = begin(.router, 0)
        page(.router, 0, old).add(3, to: .requests)
        page(.router, 0, old).set(.connectionsOpen, to: 1)
        let new = begin(.router, 0)
        page(.router, 0, new).add(4, to: .requests)
        page(.router, 0, new).set(.connectionsOpen, to: 2)
        #expect(book.value(.requests, .router, 0) == 7)
        #expect(book.value(.connectionsOpen, .router, 0) == 3)
        book.fold(.router, 0, ordinal: old)
        #expect(book.value(.requests, .router, 0) == 7)
        #expect(book.value(.connectionsOpen, .router, 0) == 2)
    }

    @Test mutating func `a ledger is the last dead one's until the new one is ready`() {
        let first = begin(.worker, 1)
        page(.worker, 1, first).set(.goodHits, to: 100)
        #expect(book.value(.goodHits, .worker, 1) == 0)
        #expect(!book.knowsLedger(.worker, 1))
        book.seeded(.worker, 1, ordinal: first)
        #expect(book.value(.goodHits, .worker, 1) == 100)
        #expect(book.knowsLedger(.worker, 1) && !book.knowsLedger(.worker, 0))
        book.fold(.worker, 1, ordinal: first)
        #expect(book.knowsLedger(.worker, 1))
        #expect(book.value(.goodHits, .worker, 1) == 100)

        // One that dies while it still reads its spool leaves no ledger behind.
        let second = begin(.worker, 1)
        page(.worker, 1, second).set(.goodHits, to: 40)
        #expect(book.value(.goodHits, .worker, 1) == 100)
        book.fold(.worker, 1, ordinal: second)
        #expect(book.value(.goodHits, .worker, 1) == 100)

        // The page's own word counts too: `ready` may be in the page and not yet heard.
        let third = begin(.worker, 1)
        page(.worker, 1, third).set(.goodHits, to: 130)
        page(.worker, 1, third).enter(.ready)
        #expect(book.value(.goodHits, .worker, 1) == 130)
        book.fold(.worker, 1, ordinal: third)
        let fourth = begin(.worker, 1)
        #expect(page(.worker, 1, fourth).value(of: .goodHits) == 0)
        #expect(book.value(.goodHits, .worker, 1) == 130)
        #expect(book.value(.goodHits, .worker, 0) == 0)
        #expect(book.sum(.goodHits, .worker) == 130)
    }

    @Test mutating func `what a child writes into its identity line stops no fold`() {
        let ordinal = begin(.router, 0)
        page(.router, 0, ordinal).add(5, to: .requests)
        page(.router, 0, ordinal).enter(.retired)
        page(.router, 0, ordinal).base.storeBytes(of: 0, as: UInt64.self)
        #expect(book.value(.requests, .router, 0) == 5)
        book.fold(.router, 0, ordinal: ordinal)
        #expect(book.value(.requests, .router, 0) == 5)
        #expect(book.identity(.router, 0) == nil)
    }

    @Test mutating func `the last error of a dead worker can still be read`() {
        let ordinal = begin(.worker, 0)
        page(.worker, 0, ordinal).write(.goodDeliveryError, "no such stream")
        #expect(book.text(.goodDeliveryError, .worker, 0) == "no such stream")
        book.fold(.worker, 0, ordinal: ordinal)
        #expect(book.text(.goodDeliveryError, .worker, 0) == "no such stream")
    }

    /// Whatever lives and dies in whatever order, no total ever falls.
    @Test(arguments: 0..<20) mutating func `totals never fall on a random walk`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        var living: [Int] = []
        var last: UInt64 = 0
        var expected: UInt64 = 0
        for _ in 0..<300 {
            switch random.next() % 3 {
            case 0 where living.count < 2: living.append(begin(.router, 0))
            case 1 where !living.isEmpty: book.fold(.router, 0, ordinal: living.removeFirst())
            default:
                guard let ordinal = living.randomElement(using: &random) else { continue }
                let amount = random.next() % 1000
                page(.router, 0, ordinal).add(amount, to: .requests)
                expected += amount
            }
            let value = book.value(.requests, .router, 0)
            #expect(value >= last)
            #expect(value == expected)
            last = value
        }
    }
}
