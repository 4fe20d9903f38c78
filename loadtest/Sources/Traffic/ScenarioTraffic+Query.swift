extension UnsafePointer where Pointee == ScenarioTraffic {
    @inline(__always)
    func appendEvent(
        _ badKind: Int, _ macro: Macro, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let draw = draws.next()
        switch badKind {
        case BadKind.missingEvent: break
        case BadKind.emptyEvent: out.append(pointee.query.emptyEvent)
        case BadKind.misspeltEvent: out.append(pointee.query.misspelt.pick(draw))
        default:
            out.append(
                macro.parameter == Macro.event ? macro.text : pointee.query.events.pick(draw))
        }
    }

    /// A creative belongs to its campaign: its name begins with the campaign's.
    @inline(__always)
    func appendCampaign(
        _ macro: Macro, _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let campaign = 100_000 &+ UInt32(truncatingIfNeeded: pointee.campaigns.rank(&draws))
        if macro.parameter == Macro.campaign {
            out.append(macro.text)
        } else {
            out.append(pointee.query.campaign)
            out.append(campaign)
        }
        let creative = draws.next().highHalf.below(pointee.creatives)
        if macro.parameter == Macro.creative {
            out.append(macro.text)
        } else {
            out.append(pointee.query.creative)
            out.append(campaign)
            out.append(UInt8(ascii: "-"))
            out.append(1 &+ creative)
        }
    }

    @inline(__always)
    func appendParameters(
        _ sender: ScenarioTraffic.Sender, _ macro: Macro, _ publisher: Int, _ page: SplitMix64,
        _ draws: inout SplitMix64, _ out: inout RequestWriter
    ) {
        let replaced = macro.parameter
        if replaced == Macro.uid {
            out.append(macro.text)
        } else if sender.hasUid {
            out.append(pointee.query.uid)
            out.append(sender.visitor)
        }
        appendCampaign(macro, &draws, &out)
        let placement = pointee.query.placements.pick(draws.next())
        out.append(replaced == Macro.placement ? macro.text : placement)
        out.append(replaced == Macro.publisher ? macro.text : pointee.query.publishers[publisher])
        appendDetails(macro, publisher, page, &draws, &out)
        if replaced == Macro.cacheBuster {
            out.append(macro.text)
        } else {
            out.append(pointee.query.cacheBuster)
            out.appendThirteenDigits(draws.next())
        }
        if replaced == Macro.auction { out.append(macro.text) }
    }

    /// What only some hits have. A macro is there for certain.
    @inline(__always)
    private func appendDetails(
        _ macro: Macro, _ publisher: Int, _ page: SplitMix64, _ draws: inout SplitMix64,
        _ out: inout RequestWriter
    ) {
        let replaced = macro.parameter
        let (one, two, three, four) = (draws.next(), draws.next(), draws.next(), draws.next())
        if replaced == Macro.url {
            out.append(macro.text)
        } else if pointee.query.urlShare.takes(one.lowHalf) {
            var page = page
            out.append(pointee.query.urls[publisher])
            pointee.query.urlPages.append(&page, to: &out)
        }
        var start = out.at
        out.append(pointee.query.viewable.pick(four))
        out.keep(pointee.query.viewableShare.takes(one.highHalf), from: start)
        start = out.at
        out.append(pointee.query.position)
        out.append(UInt8(ascii: "1") &+ UInt8(truncatingIfNeeded: four.highHalf.below(9)))
        out.keep(pointee.query.positionShare.takes(two.lowHalf), from: start)
        if replaced == Macro.value {
            out.append(macro.text)
        } else if pointee.query.valueShare.takes(two.highHalf) {
            let cents = 100 &+ four.lowHalf.below(24_900)
            out.append(pointee.query.value)
            out.append(cents / 100)
            out.append(UInt8(ascii: "."))
            out.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: cents / 10 % 10))
            out.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: cents % 10))
            out.append(pointee.query.currencies.pick(four))
        }
        if replaced == Macro.sentAt {
            out.append(macro.text)
        } else {
            // 2026-01-01 and up to 347 days: "17" is in the text, then eight digits and three.
            start = out.at
            out.append(pointee.query.sentAt)
            out.append(67_225_600 &+ four.highHalf.below(30_000_000))
            out.append(100 &+ four.lowHalf.below(900))
            out.keep(pointee.query.sentAtShare.takes(three.lowHalf), from: start)
        }
        if replaced == Macro.consent {
            out.append(macro.text)
        } else if pointee.query.consentShare.takes(three.highHalf) {
            out.append(pointee.query.consent.pick(four))
        }
    }
}
