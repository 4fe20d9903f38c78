import Core

/// What the events of a POSTed JSON array are made of.
struct BatchTexts {
    let events: TextChoice
    let uid: Segment
    let campaign: Segment
    let creative: Segment
    let placements: TextChoice
    let publishers: TextChoice
    let cacheBuster: Segment
    let eventEnd: Segment
    let eventsMin: UInt32
    let eventsSpan: UInt32
    /// Of a whole body.
    let bytesMax: Int

    init(_ scenario: Scenario, in store: inout ByteStore) {
        func choice(
            _ prefix: String, _ list: [Scenario.Weighted], _ suffix: String
        ) -> TextChoice {
            TextChoice(
                list.map {
                    (Array("\(prefix)\"\(jsonEscaped($0.name))\"\(suffix)".utf8), $0.weight)
                },
                in: &store)
        }
        events = choice("{\"event\":", scenario.events, "")
        uid = store.keep(",\"uid\":\"")
        campaign = store.keep("\",\"campaign\":\"")
        creative = store.keep("\",\"creative\":\"")
        placements = choice("\",\"placement\":", scenario.placements, "")
        publishers = choice(",\"publisher\":", scenario.publishers, "")
        cacheBuster = store.keep(",\"cb\":\"")
        eventEnd = store.keep("\"},")
        eventsMin = UInt32(scenario.batches.eventsMin)
        eventsSpan = UInt32(scenario.batches.eventsMax - scenario.batches.eventsMin + 1)
        let texts = events.bytesMax + placements.bytesMax + publishers.bytesMax
        bytesMax = (texts + 36 + 9 + 14 + 13 + 60) * scenario.batches.eventsMax + 2
    }
}

extension UnsafePointer where Pointee == ScenarioTraffic {
    /// `[{…},{…}]`: events of one visitor.
    func appendBatch(
        _ sender: ScenarioTraffic.Sender, _ publisher: Int, _ draws: inout SplitMix64,
        _ out: inout RequestWriter
    ) {
        var left = pointee.batch.eventsMin &+ draws.next().highHalf.below(pointee.batch.eventsSpan)
        out.append(UInt8(ascii: "["))
        while left > 0 {
            left &-= 1
            out.append(pointee.batch.events.pick(draws.next()))
            out.append(pointee.batch.uid)
            if sender.hasUid { out.append(sender.visitor) }
            let campaign = 100_000 &+ UInt32(truncatingIfNeeded: pointee.campaigns.rank(&draws))
            out.append(pointee.batch.campaign)
            out.append(campaign)
            out.append(pointee.batch.creative)
            out.append(campaign)
            out.append(UInt8(ascii: "-"))
            out.append(1 &+ draws.next().highHalf.below(pointee.creatives))
            out.append(pointee.batch.placements.pick(draws.next()))
            out.append(pointee.batch.publishers[publisher])
            out.append(pointee.batch.cacheBuster)
            out.appendThirteenDigits(draws.next())
            out.append(pointee.batch.eventEnd)
        }
        // The last comma.
        out.at[-1] = UInt8(ascii: "]")
    }
}

private func jsonEscaped(_ text: String) -> String {
    text.reduce(into: "") { out, character in
        if character == "\"" || character == "\\" { out += "\\" }
        out.append(character)
    }
}
