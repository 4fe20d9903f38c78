import Core

/// Requests of a scenario, made of texts laid down once and of draws that belong to the request's
/// number. Per request nothing is allocated or counted, and nothing but this memory read. Not
/// copyable, so that the compiler does not copy it for each call.
struct ScenarioTraffic: ~Copyable {
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
    let visitors: Zipf
    let cookieShare: ShareOfDraws
    let namelessShare: ShareOfDraws
    let botShare: ShareOfDraws
    let botOrPrefetchShare: ShareOfDraws
    let visitorClass: Choice
    let agents: AgentTexts

    // What.
    let query: QueryTexts
    let campaigns: Zipf
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
        // A noncopyable value throws before its first property is set.
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

        visitors = Zipf(count: scenario.visitors.population, exponent: scenario.visitors.zipf)
        let cookie = scenario.visitors.cookieShare
        cookieShare = ShareOfDraws(cookie)
        namelessShare = ShareOfDraws(cookie + scenario.visitors.anonymousShare)
        let mix = scenario.userAgents
        botShare = ShareOfDraws(mix.bot / mix.sum)
        botOrPrefetchShare = ShareOfDraws((mix.bot + mix.prefetch) / mix.sum)
        visitorClass = mix.browserChoice(in: &store)
        campaigns = Zipf(count: scenario.campaigns.population, exponent: scenario.campaigns.zipf)
        creatives = UInt32(scenario.campaigns.creatives)
    }

    // MARK: One request

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

    func write(
        _ sequence: UInt64, to start: UnsafeMutablePointer<UInt8>
    ) -> RequestMaker.Request {
        var draws = SplitMix64(key: key, number: sequence)
        var out = RequestWriter(start)
        let kind = draws.next()
        if !clickOrBatchShare.takes(kind.lowHalf) {
            let isHead = headShare.takes(kind.highHalf)
            writePixel(sequence, isHead: isHead, &draws, &out)
            return RequestMaker.Request(byteCount: out.at - start, answerHasNoBody: isHead)
        }
        if batchShare.takes(kind.lowHalf) {
            writeBatch(sequence, &draws, &out)
        } else {
            writeClick(sequence, &draws, &out)
        }
        return RequestMaker.Request(byteCount: out.at - start, answerHasNoBody: false)
    }

    @inline(__always)
    func sender(_ draws: inout SplitMix64) -> Sender {
        let draw = draws.next()
        let isBot = botShare.takes(draw.lowHalf)
        // The same people in every run: their ids follow from their rank alone.
        let rank = visitors.rank(&draws)
        let first = SplitMix64.mix(rank &* 0xd134_2543_de82_ef95 &+ 0x6879_6472)
        let second = SplitMix64.mix(first)
        let traits = SplitMix64.mix(second)
        let hasCookie = cookieShare.takes(traits.lowHalf)
        return Sender(
            visitor: VisitorId(first, second), isBot: isBot,
            isPrefetch: !isBot && botOrPrefetchShare.takes(draw.lowHalf),
            hasCookie: hasCookie && !isBot,
            hasUid: !isBot && !namelessShare.takes(traits.lowHalf), traits: traits)
    }

    @inline(__always)
    func appendAgent(
        _ sender: Sender, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        // A visitor's browser is the same each time; a bot's name follows from the request.
        var own = SplitMix64(state: sender.isBot ? draws.next() : sender.traits)
        let kind = visitorClass.index(own.next())
        agents.append(sender.isBot ? AgentTexts.bot : kind, &own, to: &out)
    }

    /// What comes before the first parameter, and where the first "&" is to become "?".
    @inline(__always)
    func appendStart(
        _ target: Segment, _ tail: Segment, _ sequence: UInt64, _ out: inout RequestWriter
    ) -> UnsafeMutablePointer<UInt8> {
        out.append(target)
        let queryStart = out.at
        if isLabelled {
            out.append(query.label)
            out.append(HitLabel(run: run, sequence: sequence))
        }
        out.append(tail)
        return queryStart
    }

    /// Ends target and line, then writes the fields; `page` is the Referer's.
    @inline(__always)
    func appendFields(
        _ fixed: Segment, _ sender: Sender, publisher: Int, page: SplitMix64,
        from queryStart: UnsafeMutablePointer<UInt8>, _ draws: inout SplitMix64,
        _ out: inout RequestWriter
    ) {
        if out.at > queryStart { queryStart[0] = UInt8(ascii: "?") }
        out.appendLong(fixed)
        appendAgent(sender, &draws, &out)
        let bits = draws.next()
        if !sender.isBot {
            out.append(heads.languages.pick(SplitMix64.mix(sender.traits)))
            if heads.refererShare.takes(bits.lowHalf) {
                var page = page
                out.append(heads.referers[publisher])
                heads.pages.append(&page, to: &out)
            }
            if sender.hasCookie && !heads.isCookieGiven {
                out.append(heads.cookie)
                out.append(sender.visitor)
                out.append(heads.lineEnd)
            }
            if sender.isPrefetch { out.append(heads.prefetch) }
        }
    }

    func writePixel(
        _ sequence: UInt64, isHead: Bool, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let fault = draws.next()
        let isBad = badShare.takes(fault.lowHalf)
        let badKind = isBad ? badKind.index(draws.next()) : -1
        let macro =
            !isBad && macroShare.takes(fault.highHalf) ? query.macro(draws.next()) : Macro.none
        let sender = sender(&draws)
        let publisher = query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        let queryStart = appendStart(
            isHead ? heads.headPixel : heads.getPixel, heads.pixelTail, sequence, &out)
        if badKind != BadKind.noQuery {
            appendEvent(badKind, macro, &draws, &out)
            appendParameters(sender, macro, publisher, page, &draws, &out)
        }
        appendFields(
            heads.pixelFields, sender, publisher: publisher, page: page, from: queryStart, &draws,
            &out)
        out.append(heads.lineEnd)
    }

    func writeClick(
        _ sequence: UInt64, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let sender = sender(&draws)
        let publisher = query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        let queryStart = appendStart(heads.click, heads.noTail, sequence, &out)
        out.append(query.clickEvent)
        if sender.hasUid {
            out.append(query.uid)
            out.append(sender.visitor)
        }
        appendCampaign(Macro.none, &draws, &out)
        query.clickTargets.append(&draws, to: &out)
        appendFields(
            heads.clickFields, sender, publisher: publisher, page: page, from: queryStart, &draws,
            &out)
        out.append(heads.lineEnd)
    }

    /// The body's length comes before it: the body is written behind where the head may end, and
    /// then moved up to it.
    func writeBatch(
        _ sequence: UInt64, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let sender = sender(&draws)
        let publisher = query.publishers.index(draws.next())
        let page = SplitMix64(state: draws.next())
        var body = RequestWriter(out.at + headBytesMax)
        let bodyStart = body.at
        appendBatch(sender, publisher, &draws, &body)
        let bodyBytes = body.at - bodyStart

        let queryStart = appendStart(heads.batch, heads.noTail, sequence, &out)
        appendFields(
            heads.batchFields, sender, publisher: publisher, page: page, from: queryStart, &draws,
            &out)
        out.append(heads.contentLength)
        out.append(UInt32(truncatingIfNeeded: bodyBytes))
        out.append(heads.headEnd)
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
