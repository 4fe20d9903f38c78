import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// A lane's delivery over TLS and through proxies that are not ours.
@Suite(.serialized) struct ServiceConnectionTests {
    nonisolated(unsafe) static let certificates = try! TestCertificates()
    static let server = try! certificates.server()

    /// A route over TLS to a relay, believing the tests' own authority unless told otherwise.
    private static func route(
        host: String = "localhost", _ port: UInt16, proxy: ProxyAddress? = nil,
        trust: TLSContext.Trust = .authorities(path: certificates.authority.certificate)
    ) throws -> ServiceRoute {
        let context = UnsafeMutablePointer<TLSContext>.allocate(capacity: 1)
        context.initialize(to: try TLSContext.client(trust: trust))
        return ServiceRoute(
            ServiceEndpoint(isTLS: true, host: host, port: port), proxy: proxy,
            tls: UnsafePointer(context))
    }

    /// A bench whose delivery goes through a relay before its Firehose.
    private static func bench(
        _ plan: [FakeFirehose.Behaviour] = [.take(except: [])],
        _ pair: TestCertificates.Pair = server, _ more: [String] = [], host: String = "localhost",
        trust: TLSContext.Trust = .authorities(path: certificates.authority.certificate)
    ) throws -> (DeliveryBench, Relay) {
        var relay: Relay?
        let bench = try DeliveryBench(plan) { port in
            relay = try Relay(pair, to: port, more)
            return try route(host: host, relay!.port, trust: trust)
        }
        return (bench, relay!)
    }

    @Test func `rows arrive over TLS, over one connection kept alive`() throws {
        let (bench, relay) = try Self.bench()
        for _ in 0..<5 {
            bench.appendNumbered(3)
            #expect(bench.runUntilDelivered())
        }
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.service.connectionsMade == 1 && bench.told.all == [])
        bench.stop()
        withExtendedLifetime(relay) {}
    }

    @Test(arguments: ["1.2", "1.3"])
    func `large calls arrive over each version of TLS`(version: String) throws {
        let (bench, relay) = try Self.bench(
            [.take(except: [])], Self.server, ["--tls-max", version])
        for _ in 0..<160 { bench.appendNumbered(100, length: 490) }
        bench.delivery.pointee.flushNow()
        #expect(bench.runUntilDelivered(), "\(bench.told.all)")
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.service.connectionsMade == 1 && bench.service.calls <= 5)
        bench.stop()
        withExtendedLifetime(relay) {}
    }

    nonisolated(unsafe) static let refusals:
        [(String, String, (TestCertificates) throws -> TestCertificates.Pair, [String])] = [
            ("localhost", "certificate has expired", { try $0.server("old", days: -1) }, []),
            (
                "localhost", "hostname mismatch", { try $0.server("other", for: "DNS:other.test") },
                []
            ),
            (
                "127.0.0.1", "IP address mismatch", { try $0.server("name", for: "DNS:localhost") },
                []
            ),
            ("localhost", "self-signed certificate", { try $0.alone("alone") }, []),
            ("localhost", "protocol version", { _ in server }, ["--tls-max", "1.0"]),
        ]

    @Test(arguments: refusals.indices)
    func `who cannot prove who he is gets no row, and the log names him and the reason`(
        index: Int
    ) throws {
        let (host, reason, pair, more) = Self.refusals[index]
        let (bench, relay) = try Self.bench(
            [.take(except: [])], try pair(Self.certificates), more, host: host)
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.lastError != nil })
        let error = bench.delivery.pointee.lastError ?? ""
        #expect(error.contains(reason) && error.contains("\(host):\(relay.port)"), "\(error)")
        #expect(error.contains("firehose.ca_file"), "the remedy")
        #expect(bench.delivery.pointee.state == .refused)
        #expect(bench.service.calls == 0 && bench.lane.cursor == 0)
        bench.stop()
    }

    @Test func `an authority that nobody knows is refused`() throws {
        let (bench, relay) = try Self.bench(trust: .systemAuthorities)
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.lastError != nil })
        #expect(
            bench.delivery.pointee.lastError?.contains("unable to get local issuer") == true)
        #expect(bench.service.calls == 0)
        bench.stop()
        withExtendedLifetime(relay) {}
    }

    @Test func `a server without TLS is told apart`() throws {
        let bench = try DeliveryBench([.take(except: [])]) { try Self.route($0) }
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.lastError != nil })
        #expect(bench.lane.cursor == 0)
        bench.service.clearComplaints()
        bench.stop()
    }

    @Test func `an answer that is cut short over TLS is no answer`() throws {
        // Without a length only the goodbye says that the answer is whole.
        let answer = #"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}"#
        let (bench, relay) = try Self.bench(
            [.bytes("HTTP/1.1 200 OK\r\n\r\n\(answer)")], Self.server, ["--no-goodbye"])
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.failures > 1 })
        #expect(bench.lane.cursor == 0)
        #expect(bench.told.all.first?.contains("in the middle of the answer") == true)
        bench.stop()
        withExtendedLifetime(relay) {}
    }

    @Test func `a connection that breaks in a record is tried again`() throws {
        let (bench, relay) = try Self.bench([.take(except: [])], Self.server, ["--cut", "40"])
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.failures > 1 })
        #expect(bench.lane.cursor == 0 && bench.delivery.pointee.state == .backingOff)
        bench.stop()
        withExtendedLifetime(relay) {}
    }

    // MARK: Proxies

    private static func proxied(
        _ arguments: [String], userInfo: String? = nil
    ) throws -> (bench: DeliveryBench, relays: [Relay]) {
        var relays: [Relay] = []
        let bench = try DeliveryBench([.take(except: [])]) { port in
            relays = [try Relay(server, to: port), try Relay(["--proxy"] + arguments)]
            return try route(
                relays[0].port,
                proxy: ProxyAddress(host: "127.0.0.1", port: relays[1].port, userInfo: userInfo))
        }
        return (bench, relays)
    }

    @Test(arguments: [nil, "me:secret"])
    func `rows arrive through a proxy's tunnel`(user: String?) throws {
        let (bench, relays) = try Self.proxied(user.map { ["--user", $0] } ?? [], userInfo: user)
        for _ in 0..<3 {
            bench.appendNumbered(50, length: 490)
            #expect(bench.runUntilDelivered(), "\(bench.told.all)")
        }
        #expect(bench.service.rows == bench.lane.rows && bench.service.connectionsMade == 1)
        bench.stop()
        withExtendedLifetime(relays) {}
    }

    @Test(arguments: [
        (["--refuse", "403"], "the proxy answered 403: it forbids this host"),
        (["--user", "a:b"], "407: it wants a user and password"),
        (["--refuse", "503"], "503: it does not reach this host"),
        (["--refuse", "500"], "the proxy answered 500; it is tried again"),
    ])
    func `a proxy that refuses is named`(arguments: [String], words: String) throws {
        let (bench, relays) = try Self.proxied(arguments)
        bench.appendNumbered(3)
        #expect(bench.run { bench.delivery.pointee.lastError != nil })
        let error = bench.delivery.pointee.lastError ?? ""
        #expect(error.contains("proxy 127.0.0.1:\(relays[1].port)"), "\(error)")
        #expect(error.contains(words), "\(error)")
        bench.stop()
    }
}
