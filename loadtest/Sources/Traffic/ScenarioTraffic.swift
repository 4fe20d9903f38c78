import Core

/// Requests of a scenario, made of texts laid down once and of draws that belong to the request's
/// number. Per request nothing is allocated or counted, and nothing but this memory read.
struct ScenarioTraffic {
    let key: UInt64
    let run: UInt32
    let isLabelled: Bool

    // Which kind of request.
    let batchShare: ShareOfDraws
    let clickOrBatchShare: ShareOfDraws
    let headShare: ShareOfDraws
    let badShare: ShareOfDraws
    let macroShare: ShareOfDraws
    let badKind: Choice

    // Who.
    let visitors: Ranks
    let cookieShare: ShareOfDraws
    let namelessShare: ShareOfDraws
    let botShare: ShareOfDraws
    let botOrPrefetchShare: ShareOfDraws
    let visitorClass: Choice
    let agents: AgentTexts

    // What.
    let query: QueryTexts
    let campaigns: Ranks
    let creatives: UInt32

    // The request around it.
    let heads: HeadTexts
    let batch: BatchTexts
    /// Where the body of a batch is written before its head is.
    let headBytesMax: Int

    init(
        _ scenario: Scenario, _ plan: LoadPlan, in store: inout ByteStore
    ) throws(TrafficFlaw) {
        if let flaw = scenario.flaws().first {
            throw TrafficFlaw("scenario \(scenario.name): \(flaw.message)", hint: flaw.hint)
        }
        if plan.method != "GET" || !plan.body.isEmpty {
            throw TrafficFlaw(
                "a scenario says itself what it sends: it takes no method and no body",
                hint: "leave out -m, -d and -D, or leave out the scenario")
        }
        let agents = try AgentTexts(
            isGiven: RequestHeaders(plan).has("User-Agent"), in: &store)
        let query = try QueryTexts(scenario, in: &store)
        let heads = try HeadTexts(scenario, plan, in: &store)
        let batch = BatchTexts(scenario, in: &store)
        let headBytesMax =
            heads.bytesMax + query.bytesMax + agents.bytesMax + RequestWriter.slackBytes
        try RequestMaker.checkSize(
            headBytesMax + (scenario.batches.share > 0 ? batch.bytesMax : 0),
            of: "a request of scenario \(scenario.name)",
            hint: "lower batches.events_max, or shorten the texts")
        (self.agents, self.query, self.heads, self.batch) = (agents, query, heads, batch)
        self.headBytesMax = headBytesMax

        key = SplitMix64.mix(plan.seed)
        run = plan.run
        isLabelled = plan.ledger != nil
        batchShare = ShareOfDraws(scenario.batches.share)
        clickOrBatchShare = ShareOfDraws(scenario.batches.share + scenario.clicks.share)
        headShare = ShareOfDraws(scenario.headShare)
        badShare = ShareOfDraws(scenario.bad.share)
        macroShare = ShareOfDraws(scenario.macros.share)
        badKind = scenario.bad.choice(in: &store)

        visitors = Ranks(
            count: scenario.visitors.population, exponent: scenario.visitors.zipf, in: &store)
        let cookie = scenario.visitors.cookieShare
        cookieShare = ShareOfDraws(cookie)
        namelessShare = ShareOfDraws(cookie + scenario.visitors.anonymousShare)
        let mix = scenario.userAgents
        botShare = ShareOfDraws(mix.bot / mix.sum)
        botOrPrefetchShare = ShareOfDraws((mix.bot + mix.prefetch) / mix.sum)
        visitorClass = mix.browserChoice(in: &store)
        campaigns = Ranks(
            count: scenario.campaigns.population, exponent: scenario.campaigns.zipf, in: &store)
        creatives = UInt32(scenario.campaigns.creatives)
    }

    /// Everything about the sender of one request.
    struct Sender {
        var visitor: VisitorId
        var isBot: Bool
        var isPrefetch: Bool
        var hasCookie: Bool
        var hasUid: Bool
        /// Of the visitor, not of the request: what is the same each time.
        var traits: UInt64
    }
}

// Methods of the pointer: a method of the struct would be given a copy of all of it.
extension UnsafePointer where Pointee == ScenarioTraffic {
    func write(
        _ sequence: UInt64, to start: UnsafeMutablePointer<UInt8>
    ) -> RequestMaker.Request {
        var draws = SplitMix64(key: pointee.key, number: sequence)
        var out = RequestWriter(start)
        let kind = draws.next()
        if !pointee.clickOrBatchShare.takes(kind.lowHalf) {
            let isHead = pointee.headShare.takes(kind.highHalf)
            writePixel(sequence, isHead: isHead, &draws, &out)
            return RequestMaker.Request(byteCount: out.at - start, answerHasNoBody: isHead)
        }
        if pointee.batchShare.takes(kind.lowHalf) {
            writeBatch(sequence, &draws, &out)
        } else {
            writeClick(sequence, &draws, &out)
        }
        return RequestMaker.Request(byteCount: out.at - start, answerHasNoBody: false)
    }

    @inline(__always)
    func sender(_ draws: inout SplitMix64) -> ScenarioTraffic.Sender {
        let draw = draws.next()
        let isBot = pointee.botShare.takes(draw.lowHalf)
        // The same people in every run: their ids follow from their rank alone.
        let rank = pointee.visitors.rank(&draws)
        let first = SplitMix64.mix(rank &* 0xd134_2543_de82_ef95 &+ 0x6879_6472)
        let second = SplitMix64.mix(first)
        let traits = SplitMix64.mix(second)
        let hasCookie = pointee.cookieShare.takes(traits.lowHalf)
        return ScenarioTraffic.Sender(
            visitor: VisitorId(first, second), isBot: isBot,
            isPrefetch: !isBot && pointee.botOrPrefetchShare.takes(draw.lowHalf),
            hasCookie: hasCookie && !isBot,
            hasUid: !isBot && !pointee.namelessShare.takes(traits.lowHalf), traits: traits)
    }

    @inline(__always)
    func appendAgent(
        _ sender: ScenarioTraffic.Sender, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        // A visitor's browser is the same each time; a bot's name follows from the request.
        var own = SplitMix64(state: sender.isBot ? draws.next() : sender.traits)
        let kind = pointee.visitorClass.index(own.next())
        pointee.agents.append(sender.isBot ? AgentTexts.bot : kind, &own, to: &out)
    }

    /// What comes before the first parameter, and where the first "&" is to become "?".
    @inline(__always)
    func appendStart(
        _ target: Segment, _ tail: Segment, _ sequence: UInt64, _ out: inout RequestWriter
    ) -> UnsafeMutablePointer<UInt8> {
        out.append(target)
        let queryStart = out.at
        if pointee.isLabelled {
            out.append(pointee.query.label)
            out.append(HitLabel(run: pointee.run, sequence: sequence))
        }
        out.append(tail)
        return queryStart
    }

    /// Ends target and line, then writes the fields; `page` is the Referer's.
    @inline(__always)
    func appendFields(
        _ fixed: Segment, _ sender: ScenarioTraffic.Sender, publisher: Int, page: SplitMix64,
        from queryStart: UnsafeMutablePointer<UInt8>, _ draws: inout SplitMix64,
        _ out: inout RequestWriter
    ) {
        if out.at > queryStart { queryStart[0] = UInt8(ascii: "?") }
        out.appendLong(fixed)
        appendAgent(sender, &draws, &out)
        let bits = draws.next()
        if !sender.isBot {
            out.append(pointee.heads.languages.pick(SplitMix64.mix(sender.traits)))
            if pointee.heads.refererShare.takes(bits.lowHalf) {
                var page = page
                out.append(pointee.heads.referers[publisher])
                pointee.heads.pages.append(&page, to: &out)
            }
            if sender.hasCookie && !pointee.heads.isCookieGiven {
                out.append(pointee.heads.cookie)
                out.append(sender.visitor)
                out.append(pointee.heads.lineEnd)
            }
            if sender.isPrefetch { out.append(pointee.heads.prefetch) }
        }
    }

    func writePixel(
        _ sequence: UInt64, isHead: Bool, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let fault = draws.next()
        let isBad = pointee.badShare.takes(fault.lowHalf)
        let badKind = isBad ? pointee.badKind.index(draws.next()) : -1
        let macro =
            !isBad && pointee.macroShare.takes(fault.highHalf)
            ? pointee.query.macro(draws.next()) : Macro.none
        let sender = sender(&draws)
        let publisher = pointee.query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        let queryStart = appendStart(
            isHead ? pointee.heads.headPixel : pointee.heads.getPixel, pointee.heads.pixelTail,
            sequence, &out)
        if badKind != BadKind.noQuery {
            appendEvent(badKind, macro, &draws, &out)
            appendParameters(sender, macro, publisher, page, &draws, &out)
        }
        appendFields(
            pointee.heads.pixelFields, sender, publisher: publisher, page: page, from: queryStart,
            &draws, &out)
        out.append(pointee.heads.lineEnd)
    }

    func writeClick(
        _ sequence: UInt64, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let sender = sender(&draws)
        let publisher = pointee.query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        let queryStart = appendStart(pointee.heads.click, pointee.heads.noTail, sequence, &out)
        out.append(pointee.query.clickEvent)
        if sender.hasUid {
            out.append(pointee.query.uid)
            out.append(sender.visitor)
        }
        appendCampaign(Macro.none, &draws, &out)
        pointee.query.clickTargets.append(&draws, to: &out)
        appendFields(
            pointee.heads.clickFields, sender, publisher: publisher, page: page, from: queryStart,
            &draws, &out)
        out.append(pointee.heads.lineEnd)
    }

    /// The body's length comes before it: the body is written behind where the head may end, and
    /// then moved up to it.
    func writeBatch(
        _ sequence: UInt64, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let sender = sender(&draws)
        let publisher = pointee.query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        var body = RequestWriter(out.at + pointee.headBytesMax)
        let bodyStart = body.at
        appendBatch(sender, publisher, &draws, &body)
        let bodyBytes = body.at - bodyStart

        let queryStart = appendStart(pointee.heads.batch, pointee.heads.noTail, sequence, &out)
        appendFields(
            pointee.heads.batchFields, sender, publisher: publisher, page: page, from: queryStart,
            &draws, &out)
        out.append(pointee.heads.contentLength)
        out.append(UInt32(truncatingIfNeeded: bodyBytes))
        out.append(pointee.heads.headEnd)
        out.at.update(from: bodyStart, count: bodyBytes)
        out.at += bodyBytes
    }
}

extension Scenario.BadHits {
    fileprivate func choice(in store: inout ByteStore) -> Choice {
        let weights = [missingEvent, emptyEvent, misspeltEvent, noQuery]
        return Choice(sum > 0 ? weights : [1, 1, 1, 1], in: &store)
    }
}

extension Scenario.UserAgents {
    fileprivate func browserChoice(in store: inout ByteStore) -> Choice {
        let weights = [desktop, mobile, inApp]
        return Choice(weights.reduce(0, +) > 0 ? weights : [1, 0, 0], in: &store)
    }
}
