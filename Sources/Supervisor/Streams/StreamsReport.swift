import Core

/// What `hydrant streams check` prints.
struct StreamsReport {
    var checks: [StreamCheck]
    var region: String
    var endpoint: String

    var isReady: Bool { checks.allSatisfy(\.isReady) }

    var table: String {
        let header = ["stream", "rows", "state", "destination", "compression", "encryption"]
        return align([header] + checks.map(row)) + findings + summary
    }

    private func row(_ check: StreamCheck) -> [String] {
        var row = [check.wanted.name, check.wanted.rows.rawValue, printable(check.state)]
        guard case .stream(let it) = check.found, let destination = it.destination else {
            return row + ["-", "-", "-"]
        }
        row.append(printable(place(destination)))
        row.append(printable(destination.compression))
        row.append(it.encryption.isEmpty ? "-" : printable(it.encryption))
        return row
    }

    private func place(_ it: StreamDescription.Destination) -> String {
        let bucket =
            it.bucketARN.split(separator: ":").last.map { "s3://\($0)/\(it.prefix)" } ?? "-"
        return switch it.kind {
        case .s3: bucket
        case .redshift: "Redshift \(it.table) by \(bucket)"
        case .other(let name): name
        }
    }

    private var findings: String {
        let text = checks.map(findings(of:)).joined()
        return text.isEmpty ? "" : "\n" + text
    }

    /// An update needs the stream's version, which each update raises: only the first of a stream's
    /// would go through. It sets all of COPY's options, so it often mends what follows too.
    private func findings(of check: StreamCheck) -> String {
        var text = ""
        var hasUpdate = false
        for finding in check.findings {
            text += "\(finding.gravity.rawValue): \(check.wanted.name) \(printable(finding.text))\n"
            guard let mend = finding.mend else { continue }
            let isUpdate = mend.hasPrefix("aws firehose update-destination ")
            let words =
                isUpdate && hasUpdate ? "as above, then look again: hydrant streams check" : mend
            text += "  mend: \(printable(words))\n"
            hasUpdate = hasUpdate || isUpdate
        }
        return text
    }

    private var summary: String {
        let ready = checks.count(where: \.isReady)
        let accounts = Set(
            checks.compactMap { check -> String? in
                guard case .stream(let it) = check.found, !it.account.isEmpty else { return nil }
                return it.account
            })
        let account =
            accounts.isEmpty ? "" : ", account " + accounts.sorted().joined(separator: ", ")
        let place = "(\(endpoint), region \(region)\(printable(account)))"
        return isReady
            ? "\nok: \(counted(checks.count, "stream")) can take rows \(place)\n"
            : "\n\(checks.count - ready) of \(counted(checks.count, "stream")) cannot take rows as "
                + "they should \(place)\n"
    }

    var json: String {
        var json = JSONText()
        json.object { json in
            json.key("ready")
            json.bool(isReady)
            json.field("region", region)
            json.field("endpoint", endpoint)
            json.key("streams")
            json.array(checks) { json, check in json.object { $0.stream(check) } }
        }
        return json.text
    }
}

extension JSONText {
    fileprivate mutating func stream(_ check: StreamCheck) {
        field("name", check.wanted.name)
        field("rows", check.wanted.rows.rawValue)
        field("workers", check.wanted.workers)
        field("state", check.state)
        key("ready")
        bool(check.isReady)
        if case .stream(let it) = check.found {
            field("arn", it.arn)
            field("encryption", it.encryption)
            field("destination", it.destination?.kind.name)
            field("compression", it.destination?.compression)
            field("bucket_arn", it.destination?.bucketARN)
            field("prefix", it.destination?.prefix)
            field("table", it.destination?.table)
            field("copy_options", it.destination?.copyOptions)
        }
        key("findings")
        array(check.findings) { json, finding in
            json.object { json in
                json.field("gravity", finding.gravity.rawValue)
                json.field("text", finding.text)
                json.field("mend", finding.mend)
            }
        }
    }
}
