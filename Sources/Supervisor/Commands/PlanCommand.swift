import ArgumentParser
import Core

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a rate of hits asks of Firehose: shards, calls, bill, spool.",
        discussion: """
            Only computes; nothing is called. Streams, linger and spool are taken as the settings \
            have them. With firehose.max_rows_per_record, records and bill are the least: hits that \
            were received together stay together. What AWS bills as a GB is 2^30 bytes. Example:

              hydrant plan --rate 120k --row-bytes 480 --region eu-west-1 --price 0.029
            """)

    @Option(help: ArgumentHelp("Hits a second at the peak: 500, 120k, 1.2M.", valueName: "rate"))
    var rate: String

    @Option(
        help: ArgumentHelp("Bytes of a row, its newline included.", valueName: "bytes"))
    var rowBytes: Int

    @Option(help: ArgumentHelp("The region; else the settings'.", valueName: "name"))
    var region: String?

    @Option(help: ArgumentHelp("How long Firehose may be away.", valueName: "time"))
    var outage = "1h"

    @Option(help: ArgumentHelp("Shards there are, instead of those needed.", valueName: "number"))
    var workers: Int?

    @Option(
        help: ArgumentHelp("Percent of the quota that is to stay unused.", valueName: "percent"))
    var headroom = 30

    @Option(
        help: ArgumentHelp(
            "A stream's bytes a second, if AWS has raised them: 20MiB. The other quotas rise with "
                + "it. Else firehose.quota.", valueName: "size"))
    var quota: String?

    @Option(help: ArgumentHelp("USD for a billed GB; else plan.price_per_gb.", valueName: "USD"))
    var price: Double?

    @Option(help: ArgumentHelp("What a stream gathers for an object.", valueName: "MiB"))
    var bufferSize = 64

    @Option(help: ArgumentHelp("How long it gathers at most.", valueName: "seconds"))
    var bufferInterval = 300

    @Flag(help: "One line of JSON.")
    var json = false

    @OptionGroup var cluster: ConfigOptions

    /// Here, where a refusal is shown with this command's usage; `run` has only the settings' values
    /// left to refuse.
    func validate() throws { _ = try demand(Settings()) }

    func run() throws {
        let settings = try cluster.settingsToFind()
        let text = PlanText(plan: DeliveryPlan(try demand(settings)))
        print(json ? text.json : text.table, terminator: json ? "\n" : "")
    }

    func demand(_ settings: Settings) throws -> DeliveryPlan.Demand {
        guard (1...Limits.firehoseRecordBytesMax).contains(rowBytes) else {
            throw ValidationError(
                "--row-bytes \(rowBytes): a row has 1 to \(Limits.firehoseRecordBytesMax) bytes")
        }
        var demand = DeliveryPlan.Demand(
            rate: try Self.rate(rate), rowBytes: rowBytes, region: try knownRegion(settings))
        if let workers {
            demand.workers = try Self.check("--workers", workers, 1...100_000)
        }
        demand.headroom = Double(try Self.check("--headroom", headroom, 0...95)) / 100
        if let bytes = try quota.map(Self.size) ?? settings.quotaBytes {
            demand.quota = demand.quota.raised(toBytesPerSecond: bytes)
        }
        demand.sharesStream = !settings.stream.contains("{shard}")
        demand.recordRowsMax = settings.effectiveRecordRowsMax
        demand.lingerBytes = settings.lingerBytes
        demand.lingerMs = settings.lingerMs ?? Settings.lingerMsOfAWS
        demand.bufferMiB = try Self.check("--buffer-size", bufferSize, 1...128)
        demand.bufferSeconds = try Self.check("--buffer-interval", bufferInterval, 0...900)
        demand.outageMs = try Self.outage(outage)
        demand.spoolBytesMax = settings.spoolBytesMax
        demand.pricePerGB = price ?? settings.pricePerGB
        if let price = demand.pricePerGB, !(0...1000).contains(price) {
            throw ValidationError("--price \(price): USD for a billed GB, 0 to 1000")
        }
        return demand
    }

    private func knownRegion(_ settings: Settings) throws -> String {
        guard let region else { return settings.region }
        var checked = settings
        do throws(SettingRefusal) {
            try Setting.named("firehose.region")!.set(.text(region), in: &checked)
        } catch {
            throw ValidationError("--region \(error.message): \(error.hint)")
        }
        return region
    }

    // MARK: Texts

    static func rate(_ text: String) throws -> Double {
        let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6]
        let factor = text.last.flatMap { factors[$0] }
        let digits = factor == nil ? text[...] : text.dropLast()
        let isPlain = digits.allSatisfy { $0 == "." || $0.isASCII && $0.isNumber }
        guard isPlain, let number = Double(digits), number > 0, number * (factor ?? 1) <= 1e9 else {
            throw ValidationError(
                "--rate \(text): write hits a second, above 0 and up to 1000M: 500, 120k or 1.2M")
        }
        return number * (factor ?? 1)
    }

    private static func outage(_ text: String) throws -> UInt64 {
        guard let ms = try? TimeSpan.parse(text), (1000...31 * 86_400_000).contains(ms) else {
            throw ValidationError("--outage \(text): write a time from 1s to 744h: 90s, 30m or 24h")
        }
        return ms
    }

    private static func size(_ text: String) throws -> Int {
        guard let bytes = try? ByteSize.parse(text), (1 << 16...1 << 40).contains(bytes) else {
            throw ValidationError("--quota \(text): write bytes a second: 5MiB or 20MiB")
        }
        return Int(bytes)
    }

    private static func check(
        _ name: String, _ value: Int, _ range: ClosedRange<Int>
    ) throws -> Int {
        guard range.contains(value) else {
            throw ValidationError(
                "\(name) \(value): must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
