import Core

/// One run, resolved to the last number: what generator processes are given, and what a result
/// says of its making. The same plan and seed send the same requests.
struct LoadPlan: Codable, Equatable, Sendable {
    enum Model: String, Codable, Sendable {
        /// Requests are due by a schedule, whether or not the server keeps up.
        case open
        /// Each connection sends when its previous answers have come.
        case closed
    }

    enum Arrivals: String, Codable, Sendable {
        case even, poisson
    }

    struct Header: Codable, Equatable, Sendable {
        var name: String
        var value: String
    }

    struct TLS: Codable, Equatable, Sendable {
        var verifiesPeer = true
        /// PEM file of authorities; nil: the system's.
        var authorities: String?
    }

    /// Real traffic from an access log instead of a scenario.
    struct Replay: Codable, Equatable, Sendable {
        var file: String
        /// How fast: 1 as recorded, 2 twice as fast; nil: by the rate of the plan.
        var pace: Double?
    }

    var target: LoadTarget
    /// Where its name leads, in the order to try: resolved once, so that all threads go to one place.
    var addresses: [String] = []
    var model: Model
    /// In all, over threads and processes.
    var connections: Int
    /// Generator processes, and threads in each.
    var workers: Int
    var threads: Int
    /// Nil: until `requests` are sent.
    var seconds: Double?
    /// Nil: until `seconds` are over.
    var requests: UInt64?
    /// Open model: when requests are due. Holds all that scenario, --rate, --ramp and --step say.
    var rate: RateProfile
    var arrivals = Arrivals.even
    /// Requests in flight on one connection.
    var pipeline = 1
    var method = "GET"
    var headers: [Header] = []
    var body: [UInt8] = []
    /// Nil: the URL as it stands, every time.
    var scenario: Scenario?
    var replay: Replay?
    var seed: UInt64
    /// Names the run in `_hl`.
    var run: UInt32
    /// Whether requests carry `_hl`, and where what became of them is written.
    var ledger: String?
    var timeoutSeconds = 10.0
    /// Due requests that may wait for a connection, over all threads; those beyond are dropped.
    var backlogMax: Int
    /// A connection closes after so many requests and another takes its place; nil: as the scenario
    /// says, or never.
    var requestsPerConnection: Int?
    var tls = TLS()
    /// Threads do not sleep shortly before a request is due: more punctual, for up to a core each.
    var staysAwake = false

    var threadsInAll: Int { workers * threads }
}
