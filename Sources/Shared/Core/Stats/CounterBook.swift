/// The supervisor's hold on the counter file: it gives pages to incarnations, folds those of the
/// dead, and reads a slot's numbers. It believes no child about who is alive.
///
/// A slot's value, by the counter's kind:
/// - total: what the dead left + every living page. Never falls.
/// - level: the living pages.
/// - ledger: the newest living page once it is seeded, else what the last dead one left.
public struct CounterBook {
    public let layout: CounterFileLayout
    private let base: UnsafeMutableRawPointer
    private var books: [Inheritance.Role: [SlotBook]] = [:]

    private struct SlotBook {
        var starts = 0
        /// By the page's parity.
        var living = [false, false]
        var seeded = [false, false]
        /// The retired page has the ledger of one that was seeded.
        var keepsLedger = false
        var newest = 0
    }

    /// The file's memory: `layout.byteCount` zeroed bytes.
    public init(layout: CounterFileLayout, at base: UnsafeMutableRawPointer) {
        self.layout = layout
        self.base = base
        layout.write(to: base)
        for role in Inheritance.Role.allCases {
            books[role] = Array(repeating: SlotBook(), count: layout.slots(of: role))
        }
    }

    /// A fresh page for a new incarnation; answers its ordinal. The incarnation before the last
    /// must be dead and folded.
    public mutating func begin(
        _ role: Inheritance.Role, _ slot: Int, incarnation: UInt64, nowMicroseconds: UInt64
    ) -> Int {
        let ordinal = books[role]![slot].starts
        let parity = ordinal % 2
        precondition(!books[role]![slot].living[parity], "the page's last owner is not folded")
        let page = base + layout.pageOffset(role, slot, ordinal: ordinal)
        page.initializeMemory(as: UInt8.self, repeating: 0, count: CounterPage.byteCount)
        CounterIdentity(
            role: role, slot: UInt16(slot), incarnation: incarnation,
            startedAtMicroseconds: nowMicroseconds
        ).write(to: page)
        books[role]![slot].starts += 1
        books[role]![slot].living[parity] = true
        books[role]![slot].seeded[parity] = false
        books[role]![slot].newest = parity
        return ordinal
    }

    /// The incarnation said `ready`: its ledger counters count from now on.
    public mutating func seeded(_ role: Inheritance.Role, _ slot: Int, ordinal: Int) {
        books[role]![slot].seeded[ordinal % 2] = true
    }

    /// The incarnation is dead: adds its totals to the slot's retired page and keeps its ledger
    /// there. Twice is once.
    public mutating func fold(_ role: Inheritance.Role, _ slot: Int, ordinal: Int) {
        let parity = ordinal % 2
        guard books[role]![slot].living[parity] else { return }
        let dead = page(role, slot, parity)
        let retired = CounterPage(at: base + layout.retiredOffset(role, slot))
        let keepsLedger = isSeeded(role, slot, parity)
        for counter in Counter.allCases {
            switch counter.kind {
            case .total: retired.add(dead.value(of: counter), to: counter)
            case .ledger: if keepsLedger { retired.set(counter, to: dead.value(of: counter)) }
            case .level: break
            }
        }
        for text in CounterText.allCases { retired.write(text, dead.text(text)) }
        dead.enter(.retired)
        books[role]![slot].living[parity] = false
        if keepsLedger { books[role]![slot].keepsLedger = true }
    }

    /// Whether the slot's ledger counters are anybody's word: before the first incarnation is seeded
    /// they are 0, whatever its spool holds.
    public func knowsLedger(_ role: Inheritance.Role, _ slot: Int) -> Bool {
        let book = books[role]![slot]
        return book.keepsLedger
            || (0...1).contains { book.living[$0] && isSeeded(role, slot, $0) }
    }

    /// A slot's value by the rules above.
    public func value(_ counter: Counter, _ role: Inheritance.Role, _ slot: Int) -> UInt64 {
        let book = books[role]![slot]
        let retired = CounterPage(at: base + layout.retiredOffset(role, slot)).value(of: counter)
        if counter.kind == .ledger {
            for parity in [book.newest, 1 - book.newest]
            where book.living[parity] && isSeeded(role, slot, parity) {
                return page(role, slot, parity).value(of: counter)
            }
            return retired
        }
        var sum = counter.kind == .total ? retired : 0
        for parity in 0...1 where book.living[parity] {
            sum &+= page(role, slot, parity).value(of: counter)
        }
        return sum
    }

    /// The text of the newest living page; "" when none lives.
    public func text(_ text: CounterText, _ role: Inheritance.Role, _ slot: Int) -> String {
        let book = books[role]![slot]
        if book.living[book.newest] { return page(role, slot, book.newest).text(text) }
        return CounterPage(at: base + layout.retiredOffset(role, slot)).text(text)
    }

    /// The text of one incarnation, dead or alive, of which the slot's page is still there.
    public func text(
        _ text: CounterText, _ role: Inheritance.Role, _ slot: Int, ordinal: Int
    ) -> String {
        page(role, slot, ordinal % 2).text(text)
    }

    /// Slots that ever had an incarnation: `0 ..< slotsUsed`.
    public func slotsUsed(of role: Inheritance.Role) -> Int {
        (books[role]!.lastIndex { $0.starts > 0 } ?? -1) + 1
    }

    /// Whether two incarnations live in the slot, so that there is no page for a third.
    public func isFull(_ role: Inheritance.Role, _ slot: Int) -> Bool {
        books[role]![slot].living[books[role]![slot].starts % 2]
    }

    /// Sum over a role's slots.
    public func sum(_ counter: Counter, _ role: Inheritance.Role) -> UInt64 {
        (0..<slotsUsed(of: role)).reduce(0) { $0 &+ value(counter, role, $1) }
    }

    /// What the newest incarnation says of itself, if it is a line at all.
    public func identity(_ role: Inheritance.Role, _ slot: Int) -> CounterIdentity? {
        identity(role, slot, ordinal: books[role]![slot].newest)
    }

    /// What an incarnation says of itself, of which the slot's page is still there.
    public func identity(
        _ role: Inheritance.Role, _ slot: Int, ordinal: Int
    ) -> CounterIdentity? {
        try? CounterIdentity.read(page(role, slot, ordinal % 2).base)
    }

    /// A ledger counts when the supervisor heard `ready`, or the page says so: a worker may die
    /// between writing the one and sending the other.
    private func isSeeded(_ role: Inheritance.Role, _ slot: Int, _ parity: Int) -> Bool {
        if books[role]![slot].seeded[parity] { return true }
        let state = (try? CounterIdentity.read(page(role, slot, parity).base))?.state
        return state == .ready || state == .stopping
    }

    private func page(_ role: Inheritance.Role, _ slot: Int, _ parity: Int) -> CounterPage {
        CounterPage(at: base + layout.pageOffset(role, slot, ordinal: parity))
    }
}
