/// Traffic that looks like adtech, as a scenario file describes it: who asks for what, how often,
/// with which faults, and how the load moves over time.
///
/// A value of it says nothing of where the load goes, for how long, or with which seed. What each
/// field means, its unit and its range stand in one table, `ScenarioKey.all`.
public struct Scenario: Codable, Equatable, Sendable {
    /// One of several, and how often it is taken: its weight over the sum of the weights.
    public struct Weighted: Codable, Equatable, Sendable {
        public var name: String
        public var weight: Double

        public init(_ name: String, _ weight: Double) {
            self.name = name
            self.weight = weight
        }
    }

    public enum Arrivals: String, Codable, CaseIterable, Sendable { case even, poisson }

    /// After how many requests a connection closes.
    public struct ConnectionLength: Codable, Equatable, Sendable {
        public enum Spread: String, Codable, CaseIterable, Sendable { case geometric, fixed }

        /// The mean; 0: it stays open.
        public var requests: Double
        public var spread: Spread

        public init(
            requests: Double = 0, spread: Spread = .geometric
        ) {
            self.requests = requests
            self.spread = spread
        }
    }

    public struct Visitors: Codable, Equatable, Sendable {
        public var population = 1_000_000
        public var zipf = 0.7
        public var cookieShare = 0.4
        public var anonymousShare = 0.1
    }

    public struct Campaigns: Codable, Equatable, Sendable {
        public var population = 500
        public var zipf = 1.0
        public var creatives = 8
    }

    public struct UserAgents: Codable, Equatable, Sendable {
        public var desktop = 38.0
        public var mobile = 47.0
        public var inApp = 15.0
        public var bot = 0.0
        public var prefetch = 0.0
    }

    public struct Referers: Codable, Equatable, Sendable {
        public var share = 0.9
        public var paths = ["/", "/news/story-{1000-9999}", "/sport/{10000-99999}.html"]
    }

    /// The share of hits that carry each of the optional parameters.
    public struct Parameters: Codable, Equatable, Sendable {
        public var url = 0.3
        public var viewable = 0.5
        public var position = 0.4
        public var value = 0.02
        public var sentAt = 0.5
        public var consent = 0.0
    }

    /// Hits that the default schema refuses: stored as bad rows and answered 400.
    public struct BadHits: Codable, Equatable, Sendable {
        public var share: Double
        public var missingEvent: Double
        public var emptyEvent: Double
        public var misspeltEvent: Double
        public var noQuery: Double

        public init(
            share: Double = 0, missingEvent: Double = 1, emptyEvent: Double = 1,
            misspeltEvent: Double = 1, noQuery: Double = 1
        ) {
            self.share = share
            self.missingEvent = missingEvent
            self.emptyEvent = emptyEvent
            self.misspeltEvent = misspeltEvent
            self.noQuery = noQuery
        }
    }

    /// Hits with an ad server's macro where its value should be.
    public struct Macros: Codable, Equatable, Sendable {
        public var share = 0.0
        public var texts = [
            "cb=[CACHEBUSTER]", "cb=[timestamp]", "cb=%%CACHEBUSTER%%", "event=[EVENT]",
            "value=${AUCTION_PRICE}", "ts=[TIMESTAMP]", "campaign={{campaign.id}}",
            "creative={creative}", "placement=__PLACEMENT__", "publisher=%%SITE%%",
            "url=%%PATTERN:url%%", "uid=${USER_ID}", "auction=${AUCTION_ID}",
            "gdpr_consent=${GDPR_CONSENT_123}",
        ]
    }

    /// POSTs of a JSON array of events.
    public struct Batches: Codable, Equatable, Sendable {
        public var share: Double
        public var path: String
        public var eventsMin: Int
        public var eventsMax: Int

        public init(
            share: Double = 0, path: String = "/batch", eventsMin: Int = 1, eventsMax: Int = 20
        ) {
            self.share = share
            self.path = path
            self.eventsMin = eventsMin
            self.eventsMax = eventsMax
        }
    }

    /// GETs that are answered with a redirect.
    public struct Clicks: Codable, Equatable, Sendable {
        public var share = 0.0
        public var path = "/c"
        public var targets = [
            "https://shop.example/offer/{100-999}?from=ad", "https://cars.example/models/{1-99}",
        ]
    }

    /// The rate times `factor` for `seconds`, after every `everySeconds`.
    public struct Bursts: Codable, Equatable, Sendable {
        public var everySeconds: Double
        public var seconds: Double
        public var factor: Double

        public init(
            everySeconds: Double = 0, seconds: Double = 1, factor: Double = 5
        ) {
            self.everySeconds = everySeconds
            self.seconds = seconds
            self.factor = factor
        }
    }

    /// The day's curve: a factor of the rate for each hour, straight lines between them.
    public struct Day: Codable, Equatable, Sendable {
        public var seconds = 0.0
        public var startHour = 0.0
        public var curve = [
            0.55, 0.4, 0.3, 0.25, 0.25, 0.3, 0.45, 0.7, 0.95, 1.1, 1.2, 1.25, 1.3, 1.25, 1.2, 1.2,
            1.25, 1.35, 1.5, 1.65, 1.75, 1.7, 1.35, 0.9,
        ]
    }

    public var name: String
    public var description = ""
    public var path = "/pixel.gif"
    /// Requests a second, where the command line says none.
    public var rate = 1000.0
    public var connections = 64
    public var pipeline = 1
    public var arrivals = Arrivals.poisson
    public var headShare = 0.0
    public var connection = ConnectionLength()
    public var visitors = Visitors()
    public var campaigns = Campaigns()
    public var events = [
        Weighted("load", 60), Weighted("view", 25), Weighted("start", 6), Weighted("complete", 4),
        Weighted("close", 3), Weighted("click", 2),
    ]
    public var placements = [
        Weighted("homepage_top", 30), Weighted("article_side", 35), Weighted("video_preroll", 15),
        Weighted("search_first", 12), Weighted("app_interstitial", 8),
    ]
    public var publishers = [
        Weighted("news.example", 40), Weighted("sport.example", 25),
        Weighted("weather.example", 15),
        Weighted("recipes.example", 12), Weighted("games.example", 8),
    ]
    public var userAgents = UserAgents()
    public var referers = Referers()
    public var parameters = Parameters()
    public var bad = BadHits()
    public var macros = Macros()
    public var batches = Batches()
    public var clicks = Clicks()
    public var bursts = Bursts()
    public var day = Day()

    public init(name: String) { self.name = name }
}
