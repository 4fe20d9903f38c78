import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// A lane, its delivery and a Firehose in one loop, over a real loopback connection.
final class DeliveryBench {
    let loop = try! Loop.make()
    let lane = FakeLane()
    let service: FakeFirehose
    let page = UnsafeMutableRawPointer.allocate(
        byteCount: CounterPage.byteCount, alignment: 4096)
    let counters: CounterPage
    let delivery: LaneDelivery.Pointer
    let told = Lines()
    private var ticker: Platform.Timer?
    var number = 0

    final class Lines { var all: [String] = [] }

    static var quick: DeliveryTuning {
        var it = DeliveryTuning()
        it.lingerMs = 5
        it.backoffFloorMs = 1
        it.backoffBaseMs = 2
        it.throttleBaseMs = 4
        it.backoffCapMs = 20
        it.probeBaseMs = 4
        it.probeCapMs = 20
        it.call.connectTimeoutMs = 500
        it.call.callTimeoutBaseMs = 2000
        return it
    }

    init(
        _ plan: [FakeFirehose.Behaviour], tuning: DeliveryTuning = quick,
        host: String = "127.0.0.1", credentials: Credentials? = FakeFirehose.credentials,
        route: ((UInt16) throws -> ServiceRoute)? = nil
    ) throws {
        // As every process of the cluster does first thing.
        signal(SIGPIPE, SIG_IGN)
        service = try FakeFirehose(in: loop, plan: plan)
        page.initializeMemory(as: UInt8.self, repeating: 0, count: CounterPage.byteCount)
        counters = CounterPage(at: page)
        let told = told
        delivery = LaneDelivery.allocate(
            .good, source: lane.source, undelivered: RowLoad(),
            target: LaneDelivery.Target(
                route: try route?(service.port)
                    ?? ServiceRoute(ServiceEndpoint(host: host, port: service.port)),
                region: "us-east-1", streamName: "px", credentials: credentials),
            tuning: tuning, in: loop, counters: counters, log: { told.all.append($0) })
        // Without it a loop in which nothing happens would sleep for good.
        ticker = Platform.Timer(in: loop, owner: page, fire: { _ in })
        ticker!.start(afterMs: 5, repeatMs: 5)
    }

    deinit { page.deallocate() }

    func append(_ rows: [String]) {
        delivery.pointee.appended(.init(bytes: lane.append(rows), rows: rows.count))
    }

    func appendNumbered(_ count: Int, length: Int = 20) {
        append(
            (0..<count).map { _ in
                number += 1
                return "\(number)-" + String(repeating: "x", count: length)
            })
    }

    /// Runs the loop until the condition holds; false when it does not within ten seconds.
    @discardableResult
    func run(until holds: () -> Bool) -> Bool {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while !holds() {
            if monotonicNanoseconds() > deadline { return false }
            loop.runOnce()
        }
        return true
    }

    func runUntilDelivered() -> Bool {
        run { lane.cursor == lane.records.count && delivery.pointee.isCaughtUp }
    }

    func stop() {
        var stopped = false
        LaneDelivery.stop(delivery, deadlineMs: 2000) { stopped = true }
        #expect(run { stopped })
        LaneDelivery.free(delivery)
        service.die()
        for _ in 0..<5 { loop.runNoWait() }
        #expect(service.complaints == [])
    }
}

/// Serialized: a bench's times are short, and a machine with two cores runs many tests at once.
@Suite(.serialized) struct LaneDeliveryTests {
    @Test func `rows arrive after the linger, over one connection kept alive`() throws {
        let bench = try DeliveryBench([.take(except: [])])
        for _ in 0..<5 {
            bench.appendNumbered(3)
            #expect(bench.runUntilDelivered())
        }
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.service.calls == 5 && bench.service.connectionsMade == 1)
        #expect(bench.lane.delivered == 15)
        #expect(bench.counters.value(of: .firehoseCalls) == 5)
        #expect(bench.counters.value(of: .firehoseRecords) == 5)
        #expect(bench.counters.value(of: .firehoseBilledBytes) == 5 * 5120)
        let bytes = bench.lane.records.reduce(0) { $0 + $1.bytes.count }
        #expect(bench.counters.value(of: .firehoseRowBytes) == UInt64(bytes))
        #expect(bench.delivery.pointee.state == .idle)
        bench.stop()
    }

    @Test func `a backlog leaves in large calls without linger`() throws {
        var tuning = DeliveryBench.quick
        tuning.lingerMs = 1_000_000
        let bench = try DeliveryBench([.take(except: [])], tuning: tuning)
        for _ in 0..<200 { bench.appendNumbered(100, length: 490) }
        bench.delivery.pointee.flushNow()
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.service.calls <= 5)
        #expect(bench.service.connectionsMade == 1)
        bench.stop()
    }

    @Test(arguments: [[0], [3], [1, 2], [0, 1, 2, 3]])
    func `only the records that failed are sent again`(failed: [Int]) throws {
        // The lane delivers when told, so that one call holds four records.
        var tuning = DeliveryBench.quick
        tuning.lingerMs = 1_000_000
        tuning.lingerBytes = 1 << 30
        let bench = try DeliveryBench([.take(except: failed), .take(except: [])], tuning: tuning)
        for _ in 0..<4 { bench.appendNumbered(2000, length: 490) }
        bench.delivery.pointee.flushNow()
        #expect(bench.run { bench.service.calls == 1 && bench.lane.cursor > 0 || failed[0] == 0 })
        #expect(bench.run { bench.service.calls == 2 })
        #expect(bench.lane.cursor <= failed[0])
        #expect(bench.runUntilDelivered())
        let sentAgain = failed.flatMap { bench.lane.records[$0].rows }
        #expect(bench.service.rowsOfCalls[1] == sentAgain)
        #expect(bench.service.rows.sorted() == bench.lane.rows.sorted())
        #expect(bench.service.recordsTaken == 4)
        #expect(bench.counters.value(of: .firehoseRecords) == 4)
        #expect(bench.counters.value(of: .firehoseCallsFailed) == 1)
        bench.stop()
    }

    static let failures: [(String, FakeFirehose.Behaviour, DeliveryState)] = [
        ("500", .status(500, ""), .backingOff),
        (
            "Slow down",
            .status(503, #"{"__type":"ServiceUnavailableException","message":"Slow down."}"#),
            .backingOff
        ),
        ("throttled", .status(400, #"{"__type":"ThrottlingException"}"#), .backingOff),
        ("no stream", .status(400, #"{"__type":"ResourceNotFoundException"}"#), .refused),
        ("key", .status(403, #"{"__type":"UnrecognizedClientException"}"#), .refused),
        ("argument", .status(400, #"{"__type":"InvalidArgumentException"}"#), .sending),
        ("web page", .status(200, "<html>hello</html>"), .refused),
        (
            "wrong count",
            .status(200, #"{"FailedPutCount":3,"RequestResponses":[{"RecordId":"1"}]}"#), .refused
        ),
        ("no results", .status(200, #"{"FailedPutCount":0,"RequestResponses":[]}"#), .refused),
        ("garbage", .bytes("\u{0}\u{1}\u{2}garbage"), .refused),
        ("closed", .bytes(""), .backingOff),
        ("half a head", .bytes("HTTP/1.1 200 OK\r\nCont"), .backingOff),
        ("huge", .bytes("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), .refused),
    ]

    @Test(arguments: failures.indices)
    func `rows outlast every kind of failure, which is told`(index: Int) throws {
        let (name, behaviour, state) = Self.failures[index]
        let bench = try DeliveryBench([behaviour, behaviour, behaviour, .take(except: [])])
        bench.appendNumbered(10)
        #expect(bench.run { bench.delivery.pointee.lastError != nil }, "\(name)")
        #expect(bench.delivery.pointee.state == state, "\(name)")
        #expect(bench.counters.value(of: .goodDeliveryState) == state.rawValue, "\(name)")
        #expect(bench.lane.cursor == 0, "\(name)")
        #expect(bench.runUntilDelivered(), "\(name)")
        #expect(bench.service.rows == bench.lane.rows, "\(name)")
        #expect(bench.delivery.pointee.lastError == nil)
        // An error is an answer; what is no answer at all may hide that the rows were taken.
        let isAnswer = ["500", "Slow down", "throttled", "no stream", "key", "argument"]
            .contains(name)
        #expect(
            bench.counters.value(of: .firehoseCallsAmbiguous) == (isAnswer ? 0 : 3), "\(name)")
        #expect(bench.told.all.first?.contains("stream px: ") == true)
        #expect(bench.told.all.last?.contains("delivering again") == true)
        bench.stop()
    }

    @Test(arguments: [0, 1])
    func `a call whose answer was lost is sent again with the same rows`(kind: Int) throws {
        let bench = try DeliveryBench([
            kind == 0 ? .takeThenVanish : .takeThenHalfAnswer, .take(except: []),
        ])
        bench.appendNumbered(50)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rowsOfCalls == [bench.lane.rows, bench.lane.rows])
        #expect(bench.lane.delivered == 50)
        #expect(bench.counters.value(of: .firehoseCallsAmbiguous) == 1)
        bench.stop()
    }

    @Test func `an answer lost on a connection that was idle is no failure, but is counted`() throws
    {
        let bench = try DeliveryBench([.take(except: []), .takeThenVanish, .take(except: [])])
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.calls == 3 && bench.service.connectionsMade == 2)
        #expect(bench.counters.value(of: .firehoseCallsFailed) == 0)
        #expect(bench.counters.value(of: .firehoseCallsAmbiguous) == 1)
        bench.stop()
    }

    @Test func `a service that says nothing is given up after a while, then tried again`() throws {
        var tuning = DeliveryBench.quick
        tuning.call.callTimeoutBaseMs = 60
        let bench = try DeliveryBench([.silence, .take(except: [])], tuning: tuning)
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.calls == 2 && bench.service.connectionsMade == 2)
        #expect(bench.counters.value(of: .firehoseCallsAmbiguous) == 1)
        #expect(bench.told.all.first?.contains("no answer to a call within") == true)
        bench.stop()
    }

    @Test func `a connection closed while idle costs no failure`() throws {
        let bench = try DeliveryBench([.take(except: [])])
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        bench.service.dropConnections()
        // The rows are appended before the loop can notice, so the dead connection is used.
        bench.appendNumbered(5)
        bench.delivery.pointee.flushNow()
        #expect(bench.runUntilDelivered())
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.counters.value(of: .firehoseCallsFailed) == 0)
        #expect(bench.service.connectionsMade == 2 && bench.told.all == [])
        bench.stop()
    }

    @Test func `a connection that the answer closes is replaced without a failure`() throws {
        let bench = try DeliveryBench([.takeThenClose])
        for _ in 0..<4 {
            bench.appendNumbered(5)
            bench.delivery.pointee.flushNow()
            #expect(bench.runUntilDelivered())
        }
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.counters.value(of: .firehoseCallsFailed) == 0)
        bench.stop()
    }

    @Test func `a service that is down is found again when it is up`() throws {
        let bench = try DeliveryBench([.take(except: [])])
        bench.service.die()
        bench.appendNumbered(5)
        #expect(bench.run { bench.delivery.pointee.state == .backingOff })
        #expect(bench.delivery.pointee.lastError?.contains("cannot connect") == true)
        try bench.service.reopen()
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        bench.stop()
    }

    @Test func `a name is resolved`() throws {
        let bench = try DeliveryBench([.take(except: [])], host: "localhost")
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        bench.stop()
    }

    @Test func `a clock that is off is corrected from the answer, at once`() throws {
        let server: Int64 = 1_767_323_045
        let skewed = FakeFirehose.Behaviour.status(
            400, #"{"__type":"InvalidSignatureException","message":"Signature expired: now"}"#,
            headers: "Date: \(httpDate(unixSeconds: server))\r\n")
        var tuning = DeliveryBench.quick
        tuning.probeBaseMs = 1_000_000
        let bench = try DeliveryBench([skewed, .take(except: [])], tuning: tuning)
        bench.appendNumbered(5)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.calls == 2)
        #expect(abs(bench.service.lastDate - server) < 30)
        bench.stop()
    }

    @Test func `a flush tells when all that was there has arrived`() throws {
        var tuning = DeliveryBench.quick
        tuning.lingerMs = 1_000_000
        let bench = try DeliveryBench([.take(except: [])], tuning: tuning)
        var caughtUp = 0
        bench.delivery.pointee.didCatchUp = { caughtUp += 1 }
        bench.appendNumbered(5)
        bench.delivery.pointee.flushNow()
        #expect(bench.run { caughtUp == 1 })
        #expect(bench.service.rows == bench.lane.rows)
        bench.delivery.pointee.flushNow()
        #expect(caughtUp == 1)
        #expect(bench.run { caughtUp == 2 })
        bench.stop()
    }

    @Test func `a stop waits for the call in flight and its cursor`() throws {
        let bench = try DeliveryBench([.take(except: [])])
        bench.appendNumbered(5)
        bench.delivery.pointee.flushNow()
        #expect(bench.run { bench.service.calls == 1 })
        #expect(bench.lane.cursor == 0)
        bench.stop()
        #expect(bench.lane.cursor == 1)
    }

    @Test func `a stop does not wait for long, and begins no call`() throws {
        var tuning = DeliveryBench.quick
        tuning.stopWaitMs = 50
        let bench = try DeliveryBench([.silence], tuning: tuning)
        bench.appendNumbered(5)
        bench.delivery.pointee.flushNow()
        #expect(bench.run { bench.service.calls == 1 })
        bench.stop()
        #expect(bench.lane.cursor == 0 && bench.service.calls == 1)
    }

    @Test(arguments: 0..<8)
    func `whatever a service does, its rows in the end are the lane's`(seed: UInt64) throws {
        var random = SeededDice(seed: seed)
        let plan = (0..<25).map { _ -> FakeFirehose.Behaviour in
            switch random.next() % 9 {
            case 0: .take(except: [0])
            case 1: .take(except: [1, 2])
            case 2: .status(500, "")
            case 3: .status(400, #"{"__type":"ThrottlingException"}"#)
            case 4: .bytes("")
            case 5: .takeThenVanish
            case 6: .takeThenClose
            case 7: .takeThenHalfAnswer
            default: .take(except: [])
            }
        }
        let bench = try DeliveryBench(plan + [.take(except: [])])
        for _ in 0..<20 {
            bench.appendNumbered(1 + Int(random.next() % 300), length: Int(random.next() % 1000))
            for _ in 0..<random.next() % 20 { bench.loop.runNoWait() }
        }
        #expect(bench.runUntilDelivered())
        #expect(Set(bench.service.rows) == Set(bench.lane.rows))
        #expect(bench.lane.delivered == UInt64(bench.number))
        bench.stop()
    }
}
