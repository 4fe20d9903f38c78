import Core
import Testing

@Suite struct TrafficScenarioTests {
    @Test func `a fresh scenario can be sent`() {
        #expect(Scenario(name: "x").flaws().isEmpty)
    }

    @Test func `every key has words, takes its own default, and is there once`() throws {
        #expect(Set(ScenarioKey.all.map(\.key)).count == ScenarioKey.all.count)
        for key in ScenarioKey.all {
            #expect(
                !key.help.isEmpty && !key.form.isEmpty && !key.defaultText.isEmpty, "\(key.key)")
        }
        #expect(ScenarioKey.sections.count == 15)
    }

    @Test func `each flaw is told with its key and a remedy`() {
        func keys(_ change: (inout Scenario) -> Void) -> [String] {
            var scenario = Scenario(name: "x")
            change(&scenario)
            let flaws = scenario.flaws()
            #expect(flaws.allSatisfy { !$0.message.isEmpty && !$0.hint.isEmpty })
            return flaws.map { $0.key + ($0.element.map { "[\($0)]" } ?? "") }
        }
        #expect(
            keys {
                $0.batches.share = 0.6
                $0.clicks.share = 0.5
            } == ["clicks.share"])
        #expect(keys { $0.visitors.anonymousShare = 0.7 } == ["visitors.anonymous_share"])
        #expect(keys { $0.events = [] } == ["events"])
        #expect(keys { $0.events = [.init("load", 0)] } == ["events"])
        #expect(keys { $0.events = [.init("lo\nad", 1)] } == ["events.lo\nad"])
        #expect(keys { $0.publishers = [.init("news example", 1)] } == ["publishers.news example"])
        #expect(
            keys { $0.placements = (0...1000).map { .init("p\($0)", 1) } } == ["placements"])
        #expect(
            keys {
                $0.userAgents.desktop = 0
                $0.userAgents.mobile = 0
                $0.userAgents.inApp = 0
            } == ["user_agents.desktop"])
        #expect(keys { $0.referers.paths = ["/", "news"] } == ["referers.paths[1]"])
        #expect(keys { $0.referers.paths = ["/{9-1}"] } == ["referers.paths[0]"])
        #expect(
            keys {
                $0.bad = .init()
                $0.bad.share = 0.1
                $0.bad.missingEvent = 0
                $0.bad.emptyEvent = 0
                $0.bad.misspeltEvent = 0
                $0.bad.noQuery = 0
            } == ["bad.share"])
        #expect(keys { $0.macros.texts = ["cb"] } == ["macros.texts[0]"])
        #expect(keys { $0.macros.texts = ["cb=a&b"] } == ["macros.texts[0]"])
        #expect(keys { $0.macros.texts = ["cb=[X]", "evnt=[X]"] } == ["macros.texts[1]"])
        #expect(keys { $0.batches.eventsMin = 30 } == ["batches.events_min"])
        #expect(keys { $0.clicks.targets = ["shop.example"] } == ["clicks.targets[0]"])
        #expect(
            keys {
                $0.bursts.everySeconds = 5
                $0.bursts.seconds = 5
            } == ["bursts.seconds"])
        #expect(
            keys { $0.bursts.everySeconds = 0.01 } == ["bursts.every_seconds", "bursts.seconds"])
        #expect(keys { $0.day.seconds = 0.5 } == ["day.seconds"])
        #expect(keys { $0.day.curve = [1] } == ["day.curve"])
        #expect(keys { $0.day.curve = Array(repeating: 0, count: 24) } == ["day.curve"])
    }

    @Test func `a template is literals and numbers`() throws {
        let template = try #require(NumberTemplate("Chrome/{118-139}.0.{0-99} x"))
        #expect(
            template.parts == [
                .init(literal: "Chrome/", numbers: 118...139),
                .init(literal: ".0.", numbers: 0...99),
                .init(literal: " x", numbers: nil),
            ])
        #expect(NumberTemplate("")?.parts == [.init(literal: "", numbers: nil)])
        #expect(NumberTemplate("{7-7}")?.parts == [.init(literal: "", numbers: 7...7)])
    }

    @Test(arguments: [
        "{", "}", "a{1-2", "{1}", "{-1-2}", "{2-1}", "{1-2-3}", "{a-b}", "{1-999999999}", "{}",
        "{1-2}}",
    ])
    func `braces around anything else are refused`(text: String) {
        #expect(NumberTemplate(text) == nil)
    }
}
