import Core

/// A macro that was not expanded: the parameter it stands in, and the whole `&parameter=macro`.
struct Macro {
    /// Index in `Scenario.macroParameters`; -1: none.
    let parameter: Int
    let text: Segment

    static let event = 0
    static let uid = 1
    static let campaign = 2
    static let creative = 3
    static let placement = 4
    static let publisher = 5
    static let url = 6
    static let value = 7
    static let sentAt = 8
    static let cacheBuster = 9
    static let auction = 10
    static let consent = 11

    static var none: Macro {
        Macro(parameter: -1, text: Segment(bytes: UnsafePointer(bitPattern: 16)!, count: 0))
    }
}

/// Kinds of bad hits, in the order of their weights.
enum BadKind {
    static let missingEvent = 0
    static let emptyEvent = 1
    static let misspeltEvent = 2
    static let noQuery = 3
}

/// What queries are made of. Every text begins with the "&" before its parameter.
struct QueryTexts {
    let label: Segment
    let events: TextChoice
    let emptyEvent: Segment
    let misspelt: TextChoice
    let clickEvent: Segment
    let uid: Segment
    let campaign: Segment
    let creative: Segment
    let placements: TextChoice
    let publishers: TextChoice
    /// Of each publisher: `&url=https%3A%2F%2Fhost`.
    let urls: TextChoice
    let urlPages: Templates
    let viewable: TextChoice
    let position: Segment
    let value: Segment
    let currencies: TextChoice
    let sentAt: Segment
    let consent: TextChoice
    let cacheBuster: Segment
    let clickTargets: Templates
    private let macros: TextChoice
    private let macroParameters: UnsafePointer<Int>

    let urlShare: ShareOfDraws
    let viewableShare: ShareOfDraws
    let positionShare: ShareOfDraws
    let valueShare: ShareOfDraws
    let sentAtShare: ShareOfDraws
    let consentShare: ShareOfDraws
    /// Of all parameters together.
    let bytesMax: Int

    init(_ scenario: Scenario, in store: inout ByteStore) throws(TrafficFlaw) {
        func choice(_ name: String, _ list: [Scenario.Weighted]) -> TextChoice {
            TextChoice(
                list.map { (Array("&\(name)=\(formEncoded($0.name))".utf8), $0.weight) },
                in: &store)
        }
        func texts(_ list: [String]) -> TextChoice {
            TextChoice(list.map { (Array($0.utf8), 1) }, in: &store)
        }
        label = store.keep("&\(HitLabel.parameter)=")
        events = choice("event", scenario.events)
        emptyEvent = store.keep("&event=")
        misspelt = texts(["&evnt=load", "&Event=view", "&event%20=load", "&e=click"])
        clickEvent = store.keep("&event=click")
        uid = store.keep("&uid=")
        campaign = store.keep("&campaign=")
        creative = store.keep("&creative=")
        placements = choice("placement", scenario.placements)
        publishers = choice("publisher", scenario.publishers)
        urls = TextChoice(
            scenario.publishers.map { (Array("&url=https%3A%2F%2F\($0.name)".utf8), $0.weight) },
            in: &store)
        urlPages = try Templates(scenario.referers.paths, encode: formEncoded, in: &store)
        viewable = texts(["&viewable=true", "&viewable=1", "&viewable=false", "&viewable=0"])
        position = store.keep("&position=")
        value = store.keep("&value=")
        currencies = texts(["&currency=EUR", "&currency=USD", "&currency=GBP"])
        sentAt = store.keep("&ts=17")
        consent = texts(Self.consents)
        cacheBuster = store.keep("&cb=")
        clickTargets = try Templates(
            scenario.clicks.targets, prefix: "&to=", encode: formEncoded, in: &store)
        macros = texts(scenario.macros.texts.map { "&" + $0 })
        macroParameters = store.keepAll(
            scenario.macros.texts.map { text in
                let name = text.prefix { $0 != "=" }
                return Scenario.macroParameters.firstIndex { $0 == name } ?? -1
            })

        urlShare = ShareOfDraws(scenario.parameters.url)
        viewableShare = ShareOfDraws(scenario.parameters.viewable)
        positionShare = ShareOfDraws(scenario.parameters.position)
        valueShare = ShareOfDraws(scenario.parameters.value)
        sentAtShare = ShareOfDraws(scenario.parameters.sentAt)
        consentShare = ShareOfDraws(scenario.parameters.consent)
        let choices =
            events.bytesMax + misspelt.bytesMax + placements.bytesMax + publishers.bytesMax
            + urls.bytesMax + urlPages.bytesMax + viewable.bytesMax + currencies.bytesMax
            + consent.bytesMax + macros.bytesMax
        // Label, uid, campaign, creative, position, value, time, cache-buster.
        bytesMax = choices + clickTargets.bytesMax + 24 + 41 + 20 + 24 + 20 + 20 + 17 + 17
    }

    @inline(__always)
    func macro(_ draw: UInt64) -> Macro {
        let index = macros.index(draw)
        return Macro(parameter: macroParameters[index], text: macros[index])
    }

    /// Most do not fall under the law; those that do send a TC string, here of its usual size and
    /// alphabet but without meaning.
    private static let consents = [
        "&gdpr=0&gdpr_consent=",
        "&gdpr=1&gdpr_consent=CQBtqYAQBtqYAAHABBENBGFsAP_gAEPgACiQKZNR4CrVBGFBeToYYNsEIYFXwFsAaIAgAAA"
            + "BAgABAACAKAA",
        "&gdpr=1&gdpr_consent=CPzHq4APzHq4AAGABCENCUEsAP_gAEPgACiQJfsBxCpUBWFBUDJgYMkAgIAVQAkA4ERgAAA"
            + "AAAAABAACAAA",
    ]
}
