import Core

/// Request lines and header fields of a scenario.
struct HeadTexts {
    let getPixel: Segment
    let headPixel: Segment
    /// The URL's own query, with "&" before it.
    let pixelTail: Segment
    let noTail: Segment
    let click: Segment
    let batch: Segment
    /// From the end of the target on: what every request of the kind has.
    let pixelFields: Segment
    let clickFields: Segment
    let batchFields: Segment
    let languages: TextChoice
    let refererShare: ShareOfDraws
    /// Of each publisher: `Referer: https://host`.
    let referers: TextChoice
    let pages: Templates
    let cookie: Segment
    let isCookieGiven: Bool
    let prefetch: Segment
    let contentLength: Segment
    let lineEnd: Segment
    let headEnd: Segment
    /// Without the query and the User-Agent.
    let bytesMax: Int

    init(
        _ scenario: Scenario, _ plan: LoadPlan, in store: inout ByteStore
    ) throws(TrafficFlaw) {
        let headers = try RequestHeaders(plan)
        let target = try TargetParts(plan.target.path)
        // A URL without a path leaves it to the scenario.
        let path = target.path == "/" ? scenario.path : target.path
        getPixel = store.keep("GET \(path)")
        headPixel = store.keep("HEAD \(path)")
        pixelTail = store.keep(target.queryTail)
        noTail = store.keep("")
        click = store.keep("GET \(scenario.clicks.path)")
        batch = store.keep("POST \(scenario.batches.path)")

        let encoding = ("Accept-Encoding", "gzip, deflate, br")
        func fields(_ accept: String, _ more: [(String, String)] = []) -> Segment {
            store.keep(
                " HTTP/1.1\r\n" + headers.text([("Accept", accept), encoding] + more))
        }
        pixelFields = fields("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")
        clickFields = fields("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        batchFields = fields("*/*", [("Content-Type", "application/json")])

        let isLanguageGiven = headers.has("Accept-Language")
        languages = TextChoice(
            AgentTemplates.languages.map { language, weight in
                (isLanguageGiven ? [] : Array("Accept-Language: \(language)\r\n".utf8), weight)
            }, in: &store)
        refererShare = ShareOfDraws(headers.has("Referer") ? 0 : scenario.referers.share)
        referers = TextChoice(
            scenario.publishers.map { (Array("Referer: https://\($0.name)".utf8), $0.weight) },
            in: &store)
        pages = try Templates(scenario.referers.paths, suffix: "\r\n", in: &store)
        isCookieGiven = headers.has("Cookie")
        cookie = store.keep("Cookie: \(Self.visitorCookie)=")
        prefetch = store.keep("Purpose: prefetch\r\nSec-Purpose: prefetch\r\n")
        contentLength = store.keep("Content-Length: ")
        lineEnd = store.keep("\r\n")
        headEnd = store.keep("\r\n\r\n")
        let fieldsMax = max(pixelFields.count, clickFields.count, batchFields.count)
        let lineMax = max(headPixel.count + pixelTail.count, click.count, batch.count)
        bytesMax =
            lineMax + fieldsMax + languages.bytesMax + referers.bytesMax + pages.bytesMax
            + cookie.count + 38 + prefetch.count + contentLength.count + 10 + headEnd.count
    }

    /// The default of Hydrant's setting `visitor_cookie`.
    private static let visitorCookie = "hy_uid"
}
