/// User-Agent templates: what browsers, apps and crawlers really send, with the numbers that differ
/// between installations drawn.
enum AgentTemplates {
    static let desktop = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.{0-7500}.{0-250} Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.0.0 Safari/537.36 Edg/{118-142}.0.{1000-3900}.{10-99}",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            + " Version/{16-18}.{0-6} Safari/605.1.15",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.0.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{115-145}.0) Gecko/20100101"
            + " Firefox/{115-145}.0",
    ]

    static let mobile = [
        "Mozilla/5.0 (iPhone; CPU iPhone OS {15-18}_{0-7} like Mac OS X) AppleWebKit/605.1.15"
            + " (KHTML, like Gecko) Version/{15-18}.{0-7} Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (iPad; CPU OS {15-18}_{0-7} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
            + " Gecko) Version/{15-18}.{0-7} Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android {10-15}; SM-A{105-556}B) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.{0-7500}.{0-250} Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " Chrome/{118-142}.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android {11-15}; SAMSUNG SM-S{901-938}B) AppleWebKit/537.36 (KHTML, like"
            + " Gecko) SamsungBrowser/{20-28}.0 Chrome/{110-130}.0.0.0 Mobile Safari/537.36",
    ]

    static let inApp = [
        "Mozilla/5.0 (iPhone; CPU iPhone OS {15-18}_{0-7} like Mac OS X) AppleWebKit/605.1.15"
            + " (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/{440-530}.0.0.{10-99}.{10-199};"
            + "FBDV/iPhone{11-17},{1-4};FBSV/{15-18}.{0-7}]",
        "Mozilla/5.0 (Linux; Android {10-15}; SM-G{780-998}B; wv) AppleWebKit/537.36 (KHTML, like"
            + " Gecko) Version/4.0 Chrome/{118-142}.0.{0-7500}.{0-250} Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS {15-18}_{0-7} like Mac OS X) AppleWebKit/605.1.15"
            + " (KHTML, like Gecko) Mobile/15E148 Instagram {300-400}.0.0.{10-40}.{70-120}",
        "Dalvik/2.1.0 (Linux; U; Android {10-15}; Pixel {4-9} Build/UQ1A.{230805-241205}.001)",
        "NewsReader/{1-9}.{0-30}.{0-9} CFNetwork/{1390-1498} Darwin/{22-24}.{0-6}.0",
    ]

    static let bot = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like"
            + " Gecko) Chrome/{118-142}.0.{0-7500}.{0-250} Mobile Safari/537.36 (compatible;"
            + " Googlebot/2.1; +http://www.google.com/bot.html)",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "Mediapartners-Google",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
            + " HeadlessChrome/{118-142}.0.{0-7500}.{0-250} Safari/537.36",
        "curl/8.{0-15}.{0-1}",
    ]

    static let languages = [
        ("en-US,en;q=0.9", 40.0), ("en-GB,en;q=0.9", 15), ("de-DE,de;q=0.9,en;q=0.7", 20),
        ("fr-FR,fr;q=0.9,en;q=0.6", 12), ("es-ES,es;q=0.9", 8), ("it-IT,it;q=0.9,en;q=0.5", 5),
    ]
}

/// The User-Agent lines, by kind of sender.
struct AgentTexts {
    static let bot = 3
    private static let kinds = [
        AgentTemplates.desktop, AgentTemplates.mobile, AgentTemplates.inApp, AgentTemplates.bot,
    ]

    private let templates: Templates
    /// Of each kind: the templates from `starts[kind]` to before `starts[kind + 1]`.
    private let starts: UnsafePointer<UInt32>
    var bytesMax: Int { templates.bytesMax }

    /// - Parameter isGiven: The user has set the header: nothing is written here.
    init(isGiven: Bool, in store: inout ByteStore) throws(TrafficFlaw) {
        var starts: [UInt32] = [0]
        for kind in Self.kinds { starts.append(starts[starts.count - 1] + UInt32(kind.count)) }
        self.starts = store.keepAll(starts)
        let texts = Self.kinds.flatMap { $0 }
        templates =
            isGiven
            ? try Templates(texts.map { _ in "" }, in: &store)
            : try Templates(texts, prefix: "User-Agent: ", suffix: "\r\n", in: &store)
    }

    @inline(__always)
    func append(_ kind: Int, _ draws: inout SplitMix64, to out: inout RequestWriter) {
        templates.append(starts[kind]..<starts[kind &+ 1], &draws, to: &out)
    }
}
