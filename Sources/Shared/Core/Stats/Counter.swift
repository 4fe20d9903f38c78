/// Every number an operator can watch. The order is the layout of the counter file: append, never
/// reorder or remove.
public enum Counter: Int, CaseIterable, Sendable {
    // Router
    case connectionsAccepted
    case connectionsOpen
    case requests
    case answers200
    case answers400
    case answers404
    case answers405
    case answers503
    case answersOther
    case requestsMalformed
    case answersUnclaimed
    case framesSent
    case framesResent
    case windowBytes
    case hitsRefusedWindow
    case hitsRefusedLate
    case hitsLate
    case routerLongestCallbackNanoseconds

    // Worker: the shard's ledger. Seeded from the spool before `ready`.
    case goodHits
    case goodDelivered
    case goodSetAside
    case goodDropped
    case badHits
    case badMoved
    case badDelivered
    case badDropped
    case goodSpoolBytes
    case badSpoolBytes
    case oldestGoodMicroseconds
    case oldestBadMicroseconds
    // Worker: work since its start
    case hitsRefusedFull
    case hitsRefusedFailure
    case framesRead
    case framesRepeated
    case spoolWrites
    case tornTails
    case recordsUnreadable
    case firehoseCalls
    case firehoseCallsFailed
    case firehoseRecords
    case firehoseRecordBytes
    case firehoseBilledBytes
    case firehoseRowBytes
    case goodDeliveryState
    case badDeliveryState
    case goodDeliverySinceMicroseconds
    case badDeliverySinceMicroseconds
    case workerLongestCallbackNanoseconds

    // Local Firehose
    case localCalls
    case localCallsRefused
    case localRecords
    case localObjects
    case localRowsLoaded
    case localRowsRejected

    // Router, later
    case batchesIsolated
    case hitsOpaque
    case hitsRerouted
    case hitsAnsweredUnstored
    // Worker: syncs, with ack = "fsync"
    case spoolSyncs
    case spoolSyncsFailed
    case spoolSyncNanosecondsMedian
    case spoolSyncNanosecondsLongest
    // Worker, again
    case quarantinedBytes
    // Local Firehose: its fault plan
    case localFaults
    case localRecordsRefused
    case localRecordsUntold
    // Worker: delivery, again
    case firehoseCallsAmbiguous
    case badSetAside

    public enum Kind: Sendable {
        /// Only grows; a slot's total is the sum over its incarnations.
        case total
        /// A level of the living process; zero when it is dead.
        case level
        /// Grows over incarnations, because each is seeded with the last's value from the spool:
        /// the newest page's value is the slot's, dead or alive.
        case ledger
    }

    public var kind: Kind {
        switch self {
        case .connectionsOpen, .windowBytes, .routerLongestCallbackNanoseconds, .goodDeliveryState,
            .badDeliveryState, .goodDeliverySinceMicroseconds, .badDeliverySinceMicroseconds,
            .workerLongestCallbackNanoseconds, .spoolSyncNanosecondsMedian,
            .spoolSyncNanosecondsLongest:
            .level
        case .goodHits, .goodDelivered, .goodSetAside, .goodDropped, .badHits, .badMoved,
            .badDelivered, .badDropped, .badSetAside, .goodSpoolBytes, .badSpoolBytes,
            .oldestGoodMicroseconds, .oldestBadMicroseconds:
            .ledger
        default: .total
        }
    }

    /// What is printed beside the number, here and in docs/counters.md.
    public var help: StaticString {
        switch self {
        case .connectionsAccepted: "Client connections accepted."
        case .connectionsOpen: "Client connections open now."
        case .requests: "Requests whose head was read whole."
        case .answers200: "Answers 200: the hit is a row in its shard's spool."
        case .answers400: "Answers 400: a bad row is stored, or the request was malformed."
        case .answers404: "Answers 404: no such path."
        case .answers405: "Answers 405: the path is known, the method is not."
        case .answers503: "Answers 503: not promised; the client may try again. Status: `refused`."
        case .answersOther: "Answers of any other status."
        case .requestsMalformed: "Requests refused for their HTTP framing; not recorded."
        case .answersUnclaimed: "Acks whose client had left before its answer."
        case .framesSent: "Frames sent to workers."
        case .framesResent: "Frames sent again because their worker died."
        case .windowBytes: "Bytes of frames that no worker has acknowledged yet."
        case .hitsRefusedWindow: "Hits answered 503 because a worker's window was full."
        case .hitsRefusedLate: "Hits answered 503 because no ack came within the wait limit."
        case .hitsLate: "Hits acknowledged after their 503: stored all the same."
        case .routerLongestCallbackNanoseconds: "Longest turn of the router's loop."
        case .goodHits: "Hits ever written to the good lane."
        case .goodDelivered: "Good hits the cursor has passed and Firehose has taken."
        case .goodSetAside: "Good hits moved to the bad lane because Firehose refuses them."
        case .goodDropped: "Good hits given up: unreadable, or evicted by policy."
        case .badHits: "Bad rows ever written, moved ones included."
        case .badMoved: "Bad rows that are set-aside good hits."
        case .badDelivered: "Bad rows that Firehose has taken."
        case .badDropped: "Bad rows given up."
        case .badSetAside:
            "Bad rows that Firehose refuses as well: files of the shard's quarantine."
        case .goodSpoolBytes: "Bytes of the good lane on disk."
        case .badSpoolBytes: "Bytes of the bad lane on disk."
        case .oldestGoodMicroseconds: "When the oldest undelivered good hit came; 0 if none."
        case .oldestBadMicroseconds: "When the oldest undelivered bad row came; 0 if none."
        case .hitsRefusedFull:
            "Hits their worker did not store: a lane is at its byte cap. Status: `unstored`."
        case .hitsRefusedFailure:
            "Hits their worker did not store: the spool could not be written. Status: `unstored`."
        case .framesRead: "Frames read from routers."
        case .framesRepeated: "Frames that a lane already held: acknowledged, not appended again."
        case .spoolWrites: "Appends to a spool segment."
        case .tornTails: "Torn tails of segments found at start. Normal after a kill."
        case .recordsUnreadable: "Spool records skipped because their checksum failed."
        case .firehoseCalls: "Calls answered by Firehose."
        case .firehoseCallsFailed: "Calls that failed, whole or in part."
        case .firehoseRecords: "Firehose records accepted."
        case .firehoseRecordBytes: "Bytes of accepted Firehose records, before base64."
        case .firehoseBilledBytes: "The same, each record rounded up to 5,120 B as it is billed."
        case .firehoseRowBytes: "Bytes of rows in accepted Firehose records."
        case .goodDeliveryState:
            "Good lane's delivery: 0 idle, 1 sending, 2 backing off, 3 refused."
        case .badDeliveryState: "Bad lane's delivery: 0 idle, 1 sending, 2 backing off, 3 refused."
        case .goodDeliverySinceMicroseconds: "When the good lane's delivery entered its state."
        case .badDeliverySinceMicroseconds: "When the bad lane's delivery entered its state."
        case .workerLongestCallbackNanoseconds: "Longest callback of the worker's loop."
        case .localCalls: "Calls the local Firehose took."
        case .localCallsRefused: "Calls the local Firehose refused."
        case .localRecords: "Records the local Firehose took."
        case .localObjects: "Objects the local Firehose wrote."
        case .localRowsLoaded: "Rows loaded into the warehouse."
        case .localRowsRejected: "Lines of objects that were no rows of the schema."
        case .batchesIsolated: "Batches sent hit by hit because two workers died with them."
        case .hitsOpaque: "Hits sent to be stored undecoded because two workers died over them."
        case .hitsRerouted: "Hits given to another shard because their own was down."
        case .hitsAnsweredUnstored:
            "Hits answered 200 from memory (ack received) and then not stored by their shard: lost."
        case .spoolSyncs: "Syncs of the spool, each for all frames that waited for it."
        case .spoolSyncsFailed: "Syncs the disk refused; what they were for was written again."
        case .spoolSyncNanosecondsMedian: "Median time of the last 255 syncs."
        case .spoolSyncNanosecondsLongest: "Longest time a sync took."
        case .localFaults: "Calls and connections that the local Firehose's fault plan met."
        case .localRecordsRefused: "Records that the fault plan refused."
        case .localRecordsUntold:
            "Records the local Firehose took although the fault plan kept its answer from saying so."
        case .firehoseCallsAmbiguous:
            "Calls sent whole whose answer was lost or unusable: made again, so rows may come twice."
        case .quarantinedBytes: "Damaged bytes of the spool copied to a shard's quarantine folder."
        }
    }
}
