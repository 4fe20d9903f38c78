/// One request: what the ledger says of it, and where its rows were seen. 16 bytes.
struct LedgerCell {
    /// What has been said of the request; 0 in a cell that nobody touched.
    struct State: OptionSet {
        var rawValue: UInt16

        static let isRecorded = State(rawValue: 1)
        static let hasID = State(rawValue: 1 << 1)

        /// A row of that kind was seen at that place.
        @inline(__always)
        static func row(isBad: Bool, at place: RowPlace) -> State {
            State(rawValue: 1 << UInt16(2 + place.rawValue + (isBad ? 3 : 0)))
        }

        static let goodArrived: State = [
            row(isBad: false, at: .objects), row(isBad: false, at: .warehouse),
        ]
        static let goodWaiting = row(isBad: false, at: .waiting)
        static let badArrived: State = [
            row(isBad: true, at: .objects), row(isBad: true, at: .warehouse),
        ]
        static let badWaiting = row(isBad: true, at: .waiting)
        static let anyBad: State = [badArrived, badWaiting]
        static let anyRow: State = [goodArrived, goodWaiting, anyBad]

        /// How often the first id was seen in objects and in the warehouse: four bits each.
        static let copiesMax = 15

        @inline(__always)
        func copies(at place: RowPlace) -> Int {
            place == .waiting ? 0 : Int(rawValue >> Self.shift(place) & 15)
        }

        @inline(__always)
        mutating func addCopy(at place: RowPlace) { rawValue += 1 << Self.shift(place) }

        @inline(__always)
        private static func shift(_ place: RowPlace) -> UInt16 { place == .objects ? 8 : 12 }
    }

    /// Of the first row seen.
    var id: UInt64
    /// Tenths of a millisecond since the run's start.
    var sent: UInt32
    var outcome: UInt16
    var state: State
}

/// The cells of all requests, by run and sequence. Sequences are dense, so cells lie in pages that
/// are found by index; a page is made when one of its cells is first asked for.
///
/// A damaged or hostile ledger may name sequences far apart, each wanting a page of its own. When
/// pages get out of proportion to the requests announced, cells are kept one by one instead: slower,
/// and memory stays in proportion to what was read.
struct LedgerCells: ~Copyable {
    typealias Cell = UnsafeMutablePointer<LedgerCell>

    private static let pageBits: UInt64 = 12
    private static let pageCells = 1 << Int(pageBits)
    /// Pages of one run that are found by index, 2^30 requests; beyond, cells are kept one by one.
    private static let pagesByIndexMax = 1 << 18
    /// Pages that may be made whatever was announced.
    private static let sparePages = 64

    private struct Run {
        var pages: [Cell?] = []
    }

    private var runs: [Run] = []
    private var pageCount = 0
    private var pagesMax = sparePages
    private var single: [UInt64: Cell] = [:]
    private var singlePages: [Cell] = []
    private var singleFree = 0

    init() {}

    deinit {
        for run in runs { for page in run.pages { page?.deallocate() } }
        for page in singlePages { page.deallocate() }
    }

    /// Makes room for one more run; runs are numbered from 0.
    mutating func addRun() { runs.append(Run()) }

    /// So many more requests may come: pages are allowed for four times as many, since requests that
    /// were never sent take numbers too.
    mutating func announce(requests: Int) {
        pagesMax += 4 * (requests / Self.pageCells + 1)
    }

    /// The request's cell, made if need be.
    mutating func cell(run: Int, sequence: UInt64) -> Cell {
        let page = Int(truncatingIfNeeded: sequence >> Self.pageBits)
        let at = Int(truncatingIfNeeded: sequence) & (Self.pageCells - 1)
        if page < runs[run].pages.count, let cells = runs[run].pages[page] { return cells + at }
        if page < Self.pagesByIndexMax, pageCount < pagesMax {
            return makePage(run: run, page) + at
        }
        return singleCell(key: Self.key(run: run, sequence: sequence))
    }

    private mutating func makePage(run: Int, _ page: Int) -> Cell {
        let missing = page + 1 - runs[run].pages.count
        if missing > 0 { runs[run].pages += Array(repeating: nil, count: missing) }
        let cells = Self.emptyPage()
        runs[run].pages[page] = cells
        pageCount += 1
        takeOver(from: page, run: run, to: cells)
        return cells
    }

    /// The page was refused before, and now it is allowed: its cells that were kept one by one move.
    private mutating func takeOver(from page: Int, run: Int, to cells: Cell) {
        if single.isEmpty { return }
        let first = UInt64(page) << Self.pageBits
        for at in 0..<Self.pageCells {
            let key = Self.key(run: run, sequence: first + UInt64(at))
            if let cell = single.removeValue(forKey: key) { cells[at] = cell.pointee }
        }
    }

    private mutating func singleCell(key: UInt64) -> Cell {
        if let cell = single[key] { return cell }
        if singlePages.isEmpty || singleFree == Self.pageCells {
            singlePages.append(Self.emptyPage())
            singleFree = 0
        }
        let cell = singlePages.last! + singleFree
        singleFree += 1
        single[key] = cell
        return cell
    }

    private static func emptyPage() -> Cell {
        let cells = Cell.allocate(capacity: pageCells)
        cells.initialize(
            repeating: LedgerCell(id: 0, sent: 0, outcome: 0, state: []), count: pageCells)
        return cells
    }

    /// Names a request among all: below 2^40 sequences to a run.
    static func key(run: Int, sequence: UInt64) -> UInt64 { UInt64(run) << 40 | sequence }

    /// Calls with each request that something was said of: run, sequence, cell. In order, but for
    /// those kept one by one, which come last.
    func forEach(_ body: (Int, UInt64, LedgerCell) -> Void) {
        for (run, kept) in runs.enumerated() {
            for (page, cells) in kept.pages.enumerated() {
                guard let cells else { continue }
                for at in 0..<Self.pageCells where cells[at].state != [] {
                    body(run, UInt64(page) << Self.pageBits | UInt64(at), cells[at])
                }
            }
        }
        for (key, cell) in single.sorted(by: { $0.key < $1.key }) where cell.pointee.state != [] {
            body(Int(key >> 40), key & HitLabel.sequenceMax, cell.pointee)
        }
    }
}
