import Core

/// A call that the service refuses for its rows is taken apart until they are found.
extension BatchBuilder {
    enum SearchStep: Equatable {
        /// `advance` until the next part is ready.
        case make
        /// What is in the body is to be sent, perhaps again.
        case send
        /// Everything of the call is taken, or set aside.
        case settled
        /// Rows are set aside, and not durable yet.
        case syncing
        /// Rows cannot be set aside now, and why.
        case blocked(String)
        /// The service takes none of the rows.
        case stuck
    }

    var isSearching: Bool { refusedCall != nil }
    /// Rows are searched for, or found and not in safety: `goOnSearching` is due before a call.
    var isOccupied: Bool { isSearching || owedAdvance != nil || isCursorOwed }

    /// The call in the body was refused for its rows.
    mutating func search() {
        // Each time a search was stuck the next one tries twice as many rows.
        refusedCall = RefusedCall(
            body, tookSome: tookOthers,
            suspectsMax: RefusedRowSearch.suspectsMax << min(searchesStuck, 20))
    }

    /// What is next. Moves the cursor over what is settled.
    ///
    /// - Parameter didSetAside: told of rows that are in safety, and as what they are delivered.
    mutating func goOnSearching(_ didSetAside: (_ rows: Int, RowLoad) -> Void) -> SearchStep {
        guard let refusedCall else {
            if let obstacle = payAdvance(didSetAside) { return obstacle }
            if ledger.callRecordCount == 0 { return .settled }
            return body.isCompacting ? .make : .send
        }
        if refusedCall.isRestoring { return .make }
        if refusedCall.partIsReady { return .send }
        if let obstacle = passSettled(of: refusedCall, didSetAside) { return obstacle }
        switch refusedCall.next() {
        case .part:
            body.begin()
            return .make
        case .settled:
            (self.refusedCall, searchesStuck) = (nil, 0)
            return .settled
        case .stuck:
            searchesStuck += 1
            refusedCall.restore()
            body.begin()
            return .stuck
        }
    }

    mutating func partWasTaken() { refusedCall?.partWasTaken() }
    mutating func partWasTaken(except failed: [Int]) { refusedCall?.partWasTaken(except: failed) }
    mutating func partWasRefused() { refusedCall?.partWasRefused() }

    /// One slice of making what is to be sent; nil when the whole call is there again, and there may
    /// be room for more.
    mutating func make(_ call: RefusedCall) -> Progress? {
        switch call.make(&body, sliceBytes: Self.sliceBytes) {
        case .more: return .more
        case .partIsReady: return .ready(reachedEnd: false)
        case .wholeIsReady:
            refusedCall = nil
            return nil
        }
    }

    /// `.syncing` or `.blocked`; nil when nothing is in the way.
    private mutating func passSettled(
        of call: RefusedCall, _ didSetAside: (_ rows: Int, RowLoad) -> Void
    ) -> SearchStep? {
        if let obstacle = payAdvance(didSetAside) { return obstacle }
        while let rows = call.takeSettled() {
            refusedRows += rows.map { call.row($0.row) }
            owedAdvance = ledger.settleFirst(setAside: rows.map(\.offset))
            if let obstacle = payAdvance(didSetAside) { return obstacle }
        }
        return nil
    }

    private mutating func payAdvance(
        _ didSetAside: (_ rows: Int, RowLoad) -> Void
    ) -> SearchStep? {
        if isCursorOwed {
            if let why = source.didSetAside() { return .blocked(why) }
            isCursorOwed = false
        }
        guard let advance = owedAdvance else { return nil }
        let count = Int(advance.setAside)
        if count > 0 {
            switch source.setAside(Array(refusedRows.prefix(count)), advance) {
            case .refused(let why): return .blocked(why)
            case .syncing: return .syncing
            case .stored(let load):
                source.commit(advance)
                refusedRows.removeFirst(count)
                didSetAside(count, load)
                (owedAdvance, isCursorOwed) = (nil, true)
                return payAdvance(didSetAside)
            }
        } else {
            source.commit(advance)
        }
        owedAdvance = nil
        return nil
    }
}
