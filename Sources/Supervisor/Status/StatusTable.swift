import Core

/// The status for a person: the cluster's totals first, then its shards, then its processes.
extension StatusReport {
    var table: String {
        var text = headline + "\n\n"
        text += align([
            ["accepted", "delivered", "spooled", "bad", "dropped", "refused"],
            [
                ledger.accepted, ledger.delivered, ledger.spooled, ledger.bad, ledger.dropped,
                ledger.refused,
            ].map(grouped),
        ])
        if ledger.bad > 0 {
            text +=
                "of the bad rows \(grouped(ledger.badDelivered)) are delivered, "
                + "\(grouped(ledger.badSpooled)) in the spool"
                + (ledger.badSetAside > 0
                    ? ", \(grouped(ledger.badSetAside)) refused by Firehose too, in quarantine"
                    : "")
                + "\n"
        }
        let unstored =
            counters.first { $0.name == Counter.hitsAnsweredUnstored.snakeCaseName }?.value ?? 0
        if unstored > 0 {
            text +=
                "\(grouped(unstored)) hits were answered and then not stored (ack = \"received\")\n"
        }
        if let billing = Billing(counters) {
            text +=
                "billing overhead \(billing.overheadText) %: "
                + "\(grouped(billing.rowBytes)) B of rows are billed as "
                + "\(grouped(billing.billedBytes)) B\n"
        }
        if !shards.isEmpty { text += "\n" + align(shardRows) }
        for shard in shards { text += troubles(of: shard) }
        if !processes.isEmpty { text += "\n" + align(processRows) }
        for process in processes {
            guard let stillMs = process.stillMs else { continue }
            text += "\(process.role) \(process.index) has stood still for \(seconds(stillMs))\n"
        }
        if let sharedCPU { text += "routers and workers share CPU \(sharedCPU)\n" }
        return text
    }

    private var headline: String {
        let oldest = shards.map { $0.oldestAgeMs(nowMicroseconds: nowMicroseconds) }.max() ?? 0
        var line = "hydrant is \(state)"
        if let pid { line += " (pid \(pid), up \(seconds(uptimeMs)))" }
        if oldest > 0 { return line + ", oldest undelivered row: \(seconds(oldest))" }
        // When it came is looked up once a second.
        return line + (ledger.rowsInSpool == 0 ? ", nothing waits" : ", rows wait")
    }

    private var shardRows: [[String]] {
        [
            [
                "shard", "accepted", "delivered", "spooled", "bad", "dropped", "unstored", "oldest",
                "delivery", "stream",
            ]
        ]
            + shards.map { shard in
                let age = shard.oldestAgeMs(nowMicroseconds: nowMicroseconds)
                return [
                    "\(shard.shard)", grouped(shard.ledger.accepted),
                    grouped(shard.ledger.delivered), grouped(shard.ledger.spooled),
                    grouped(shard.ledger.bad), grouped(shard.ledger.dropped),
                    grouped(shard.ledger.unstored), age == 0 ? "-" : seconds(age),
                    shard.adoptedBy == nil ? shard.good.state.word : "adopted", shard.stream,
                ]
            }
    }

    private var processRows: [[String]] {
        [["process", "index", "pid", "state", "up", "restarts"]]
            + processes.map {
                [
                    $0.role, "\($0.index)", $0.pid.map { "\($0)" } ?? "-", $0.state,
                    $0.pid == nil ? "-" : seconds($0.uptimeMs), "\($0.restarts)",
                ]
            }
    }

    private func troubles(of shard: ShardLedger) -> String {
        var text = ""
        if let worker = shard.adoptedBy, shard.ledger.rowsInSpool > 0 {
            text +=
                "shard \(shard.shard) has no worker any more: worker \(worker) delivers its rows\n"
        }
        if !shard.spoolError.isEmpty {
            text += "shard \(shard.shard) spool: \(printable(shard.spoolError))\n"
        }
        for (lane, delivery) in [("", shard.good), (" bad lane", shard.bad)]
        where delivery.state == .backingOff || delivery.state == .refused {
            text += "shard \(shard.shard)\(lane): \(delivery.state.word)"
            if delivery.sinceMicroseconds > 0 {
                text += " since \(utcTime(microseconds: delivery.sinceMicroseconds))"
            }
            text += delivery.lastError.isEmpty ? "\n" : ": \(printable(delivery.lastError))\n"
        }
        return text
    }
}

/// Columns as wide as their widest cell; numbers to the right, words to the left.
func align(_ rows: [[String]]) -> String {
    guard let header = rows.first else { return "" }
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let isNumeric = header.indices.map { column in
        rows.dropFirst().allSatisfy {
            $0[column].first.map { $0.isNumber || $0 == "-" } ?? false
        }
    }
    var text = ""
    for row in rows {
        var line = ""
        for (column, cell) in row.enumerated() {
            let room = String(repeating: " ", count: widths[column] - cell.count)
            line += (column > 0 ? "  " : "") + (isNumeric[column] ? room + cell : cell + room)
        }
        while line.last == " " { line.removeLast() }
        text += line + "\n"
    }
    return text
}

/// "1,234,567".
func grouped(_ value: UInt64) -> String {
    var text = ""
    let digits = Array(String(value))
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}

/// What another process wrote, without anything that could move a terminal's cursor.
func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map {
                $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : $0
            }))
}
