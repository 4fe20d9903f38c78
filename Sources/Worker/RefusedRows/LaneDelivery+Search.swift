import Core

/// What to do when the service refuses a call for its rows.
extension LaneDelivery {
    /// - Parameter refusal: what the service said.
    mutating func search(_ refusal: String, _ weight: CallWeight) {
        counters.add(to: .firehoseCallsFailed)
        self.refusal = refusal
        tell("search", "\(refusal); the rows it means are searched for")
        builder.search()
        perform(machine.goesOn(took: false, untaken: weight))
    }

    /// A part of the call was answered.
    mutating func partHasFinished(
        _ reply: FirehoseReply, _ weight: CallWeight, of recordCount: Int
    ) {
        switch reply {
        case .delivered:
            count(taken: builder.body, except: [])
            builder.partWasTaken()
            perform(machine.goesOn(took: true))
        case .partial(let failed, let fault, let text):
            let untaken = CallWeight(bytes: bytes(of: failed), records: failed.count)
            count(taken: builder.body, except: failed)
            if fault != .invalid {
                builder.partWasTaken(except: failed)
                return failedCall(.init(fault: fault, text: text), untaken, of: recordCount)
            }
            counters.add(to: .firehoseCallsFailed)
            if recordCount > 1 {
                builder.partWasTaken(except: failed)
            } else {
                builder.partWasRefused()
            }
            let took = failed.count < recordCount
            perform(machine.goesOn(took: took, untaken: untaken))
        case .failed(let failure) where failure.fault == .invalid:
            counters.add(to: .firehoseCallsFailed)
            refusal = failure.text
            builder.partWasRefused()
            perform(machine.goesOn(took: false, untaken: weight))
        case .failed(let failure):
            failedCall(failure, weight, of: recordCount)
        }
    }

    /// The next part of a refused call, if rows can be set aside and the service takes any.
    mutating func goOnSearching() {
        var (rows, load) = (0, RowLoad())
        let step = builder.goOnSearching {
            rows += $0
            load = load + $1
        }
        if rows > 0 {
            tell("aside", "\(rows) rows set aside, which it refuses: \(refusal)")
            didSetAside?(load)
        }
        switch step {
        case .make: startSlicing()
        case .send: call()
        case .settled: delivered()
        case .syncing: perform(machine.waitsForSync())
        case .blocked(let why):
            let text = "rows that it refuses cannot be set aside: \(why)"
            failedToDeliver(.init(fault: .retry, text: text), CallWeight(), of: 0)
        case .stuck:
            failedToDeliver(.init(fault: .invalid, text: refusal), CallWeight(), of: 0)
        }
    }
}
