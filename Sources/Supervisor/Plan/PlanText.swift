import Core

/// What `hydrant plan` prints: every number with its unit, every assumption with the way to change
/// it.
struct PlanText {
    let plan: DeliveryPlan

    private var demand: DeliveryPlan.Demand { plan.demand }
    private var quota: StreamQuota { demand.quota }

    var table: String {
        title + "\n" + streams + "\n" + ways + "\n" + warehouse + "\n" + outage + notes
    }

    private var title: String {
        "\(amount(demand.rate)) rows/s of \(grouped(UInt64(demand.rowBytes))) B in "
            + "\(demand.region): \(mebibytes(plan.rowBytesPerSecond))/s\n"
    }

    private var streams: String {
        let needed = plan.aggregated.shardsNeeded
        let percent = Int((demand.headroom * 100).rounded())
        return lines([
            (
                "quota of a stream",
                "\(mebibytes(Double(quota.bytesPerSecond)))/s, "
                    + "\(grouped(UInt64(quota.recordsPerSecond))) records/s, "
                    + "\(grouped(UInt64(quota.callsPerSecond))) calls/s"
            ),
            (
                "shards needed",
                "\(needed) (a worker and a stream each), \(percent) % of the quota left as headroom"
                    + (demand.sharesStream ? "; firehose.stream makes it one stream for all" : "")
            ),
            (
                "a shard takes",
                "\(mebibytes(plan.shardBytesPerSecond))/s, "
                    + (demand.sharesStream
                        ? "all of them \(amount(plan.shardFill * 100)) % of the one stream's quota, "
                        : "\(amount(plan.shardFill * 100)) % of its stream's quota, ")
                    + "with workers = \(plan.shards)"
            ),
        ])
    }

    private var ways: String {
        let many = plan.aggregated
        let one = plan.oneRowPerRecord
        let rowBytes = plan.rowBytesPerSecond
        func row(_ name: String, _ value: (DeliveryPlan.Way) -> String) -> [String] {
            [name, value(many), value(one)]
        }
        var rows = [
            ["", "rows aggregated", "one row a record"],
            row("shards needed") { "\($0.shardsNeeded)" },
            row("calls a second") { amount($0.callsPerSecond) },
            row("records a second") { amount($0.recordsPerSecond) },
            row("billed GB a day") { amount($0.billedGBPerDay) },
            row("billed over row bytes") { amount($0.billedBytesPerSecond / rowBytes) + "×" },
        ]
        if let price = demand.pricePerGB {
            rows.append(row("USD a day") { amount($0.billedGBPerDay * price) })
        }
        let unpriced =
            demand.pricePerGB == nil
            ? "USD a day: give your region's price of a GB, with --price 0.029 or plan.price_per_gb\n"
            : ""
        return align(rows) + unpriced
    }

    private var warehouse: String {
        let each = plan.copiesPerHour / Double(demand.sharesStream ? 1 : plan.shards)
        return lines([
            (
                "COPYs an hour",
                "\(amount(plan.copiesPerHour)) into the table, \(amount(each)) a stream "
                    + "(buffer \(demand.bufferMiB) MiB or \(demand.bufferSeconds) s); one runs "
                    + "at a time, so each has \(span(3600 / plan.copiesPerHour))"
            )
        ])
    }

    private var outage: String {
        let catchUp = plan.catchUpSeconds.map { "\(span($0)) after it" } ?? "never: too few shards"
        let lasts = plan.spoolSeconds >= Double(demand.outageMs) / 1000 ? "enough" : "too little"
        return lines([
            ("outage of Firehose", TimeSpan.text(demand.outageMs)),
            (
                "spool",
                "\(gibibytes(plan.outageSpoolBytes)) in all, "
                    + "\(gibibytes(plan.outageSpoolBytesPerShard)) a shard; "
                    + "spool.max_bytes = \(ByteSize.text(demand.spoolBytesMax)) lasts "
                    + "\(span(plan.spoolSeconds)): \(lasts)"
            ),
            ("caught up", catchUp),
            (
                "memory",
                "does not grow with it: up to "
                    + "\(mebibytes(Double(plan.callMemoryBytesPerWorker))) of calls a worker, "
                    + "\(mebibytes(Double(plan.windowBytesPerRouter))) of hits a router"
            ),
        ])
    }

    private var notes: String {
        var notes = ""
        if !plan.hasEnoughShards, demand.sharesStream {
            notes +=
                "\none stream is too little for this rate with the headroom asked for: put {shard} into "
                + "firehose.stream, or have its quota raised (--quota)\n"
        } else if !plan.hasEnoughShards {
            notes +=
                "\nworkers = \(plan.shards) is too few for this rate with the headroom asked for: "
                + "\(plan.aggregated.shardsNeeded) are needed, or a higher quota (--quota)\n"
        }
        if plan.callSecondsMax < DeliveryPlan.callSecondsUsual {
            notes +=
                "\na shard's calls go one after the other: at \(mebibytes(plan.shardBytesPerSecond))/s "
                + "each has \(amount(plan.callSecondsMax * 1000)) ms; if yours are answered later, take "
                + "more workers, on streams of their own or on the same\n"
        }
        if plan.shards > Limits.workersMax {
            notes +=
                "\na host takes \(Limits.workersMax) workers: "
                + "spread \(plan.shards) over several hosts\n"
        }
        return notes
    }

    // MARK: JSON

    var json: String {
        var json = JSONText()
        json.object { json in
            json.field("rows_per_second", demand.rate)
            json.field("row_bytes", demand.rowBytes)
            json.field("region", demand.region)
            json.field("row_bytes_per_second", plan.rowBytesPerSecond)
            json.key("quota")
            json.object { json in
                json.field("bytes_per_second", quota.bytesPerSecond)
                json.field("records_per_second", quota.recordsPerSecond)
                json.field("calls_per_second", quota.callsPerSecond)
            }
            json.field("headroom", demand.headroom)
            json.field("shards", plan.shards)
            json.key("enough_shards")
            json.bool(plan.hasEnoughShards)
            json.field("shard_bytes_per_second", plan.shardBytesPerSecond)
            json.field("shard_fill", plan.shardFill)
            json.field("call_s_max", plan.callSecondsMax)
            json.key("aggregated")
            json.way(plan.aggregated, price: demand.pricePerGB)
            json.key("one_row_per_record")
            json.way(plan.oneRowPerRecord, price: demand.pricePerGB)
            json.field("copies_per_hour", plan.copiesPerHour)
            json.field("outage_s", Double(demand.outageMs) / 1000)
            json.field("outage_spool_bytes", plan.outageSpoolBytes)
            json.field("outage_spool_bytes_per_shard", plan.outageSpoolBytesPerShard)
            json.field("spool_lasts_s", plan.spoolSeconds)
            json.field("catch_up_s", plan.catchUpSeconds)
            json.field("call_memory_bytes_per_worker", plan.callMemoryBytesPerWorker)
            json.field("window_bytes_per_router", plan.windowBytesPerRouter)
        }
        return json.text
    }
}

extension JSONText {
    fileprivate mutating func way(_ way: DeliveryPlan.Way, price: Double?) {
        object { json in
            json.field("shards_needed", way.shardsNeeded)
            json.field("calls_per_second", way.callsPerSecond)
            json.field("records_per_second", way.recordsPerSecond)
            json.field("billed_bytes_per_second", way.billedBytesPerSecond)
            json.field("billed_gb_per_day", way.billedGBPerDay)
            json.field("usd_per_day", price.map { $0 * way.billedGBPerDay })
        }
    }

    /// A number with three decimals; nil is null.
    fileprivate mutating func field(_ name: String, _ value: Double?) {
        key(name)
        if let value { number(value) } else { null() }
    }
}

// MARK: Numbers for people

/// Three figures, and all of those before the point: "0.42", "13.7", "1,234".
func amount(_ value: Double) -> String {
    let places = value >= 99.95 || value == value.rounded() ? 0 : value >= 9.995 ? 1 : 2
    let scale: UInt64 = [1, 10, 100][places]
    let scaled = UInt64((min(value, 1e15) * Double(scale)).rounded())
    if places == 0 { return grouped(scaled) }
    let fraction = String(scaled % scale)
    return grouped(scaled / scale) + "."
        + String(repeating: "0", count: places - fraction.count) + fraction
}

private func mebibytes(_ bytes: Double) -> String { amount(bytes / Double(1 << 20)) + " MiB" }
private func gibibytes(_ bytes: Double) -> String { amount(bytes / Double(1 << 30)) + " GiB" }

private func span(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: amount(seconds) + " s"
    case ..<7200: amount(seconds / 60) + " min"
    case ..<172_800: amount(seconds / 3600) + " h"
    default: amount(seconds / 86_400) + " days"
    }
}

private func lines(_ pairs: [(String, String)]) -> String {
    pairs.map { name, value in
        name + String(repeating: " ", count: max(1, 23 - name.count)) + value + "\n"
    }.joined()
}
