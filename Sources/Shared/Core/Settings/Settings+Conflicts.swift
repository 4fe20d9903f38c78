/// Settings that are fine one by one and do not go together.
public struct SettingsConflict: Equatable, Sendable {
    /// The keys concerned; the first that was set is the one to point at.
    public var keys: [String]
    public var message: String
    public var hint: String
    /// A warning lets the cluster run.
    public var isWarning: Bool
}

extension Settings {
    /// sockaddr_un holds 108 bytes with the closing zero.
    static let socketPathBytesMax = 107

    /// Everything that does not go together. `host` is the machine's name, for `{host}`.
    public func conflicts(host: String) -> [SettingsConflict] {
        pathConflicts() + spoolConflicts() + streamConflicts(host: host) + recordConflicts()
            + deliveryConflicts() + adminConflicts()
    }

    private func adminConflicts() -> [SettingsConflict] {
        guard let admin else { return [] }
        var others = [("listen", listen)]
        if deliveryMode == .local { others.append(("local.listen", localListen)) }
        var found = others.filter { $0.1.collides(with: admin) }.map { key, other in
            refused(
                ["admin", key],
                "admin (\(admin.text)) and \(key) (\(other.text)) are the same place",
                "give one of them another port, or set admin = \"off\"")
        }
        if !admin.isLoopback {
            found.append(
                warning(
                    ["admin"], "admin (\(admin.text)) is not a loopback address",
                    "whoever reaches it learns how this host fares; it takes no orders"))
        }
        return found
    }

    private func pathConflicts() -> [SettingsConflict] {
        let byteCount = controlSocketPath.utf8.count
        guard byteCount > Self.socketPathBytesMax else { return [] }
        return [
            refused(
                ["data"],
                "the control socket's path would be \(byteCount) bytes long: \(controlSocketPath)",
                "the kernel takes \(Self.socketPathBytesMax): choose a data folder nearer the root")
        ]
    }

    private func spoolConflicts() -> [SettingsConflict] {
        let caps = [
            ("spool.max_bytes", spoolBytesMax), ("spool.bad_max_bytes", spoolBadBytesMax),
        ]
        return caps.filter { $0.1 < spoolSegmentBytes }.map { key, cap in
            refused(
                [key, "spool.segment_bytes"],
                "\(key) (\(ByteSize.text(cap))) is less than "
                    + "spool.segment_bytes (\(ByteSize.text(spoolSegmentBytes)))",
                "a cap must hold at least one segment: raise the cap or shrink the segments")
        }
    }

    private func recordConflicts() -> [SettingsConflict] {
        guard records == .onePerRow, rowsPerRecordMax > 1 else { return [] }
        return [
            refused(
                ["firehose.max_rows_per_record", "firehose.records"],
                "firehose.max_rows_per_record (\(rowsPerRecordMax)) contradicts "
                    + "firehose.records = \"one-per-row\"",
                "remove one of them")
        ]
    }

    private func deliveryConflicts() -> [SettingsConflict] {
        switch deliveryMode {
        case .local: localConflicts()
        case .aws where endpointURL != nil && (usesFIPS || usesDualStack):
            [
                warning(
                    ["firehose.fips", "firehose.dual_stack", "firehose.endpoint_url"],
                    "firehose.endpoint_url is called, whatever firehose.fips and "
                        + "firehose.dual_stack say",
                    "remove one or the other")
            ]
        case .aws: []
        }
    }

    private func localConflicts() -> [SettingsConflict] {
        var found = [SettingsConflict]()
        if listen.collides(with: localListen) {
            found.append(
                refused(
                    ["local.listen", "listen"],
                    "listen (\(listen.text)) and local.listen (\(localListen.text)) "
                        + "are the same place",
                    "give one of them another port"))
        }
        if !localListen.isLoopback {
            found.append(
                warning(
                    ["local.listen"],
                    "local.listen (\(localListen.text)) is not a loopback address",
                    "whoever reaches it and knows its key pair can write rows"))
        }
        if endpointURL != nil {
            found.append(
                warning(
                    ["firehose.endpoint_url"],
                    "firehose.endpoint_url is not used in delivery.mode = \"local\"",
                    "set delivery.mode = \"aws\", or remove it"))
        }
        return found
    }

    private func streamConflicts(host: String) -> [SettingsConflict] {
        let patterns = [("firehose.stream", stream), ("firehose.bad_stream", badStream)]
        var found = patterns.compactMap { key, pattern in
            streamNameConflict(key: key, pattern: pattern, host: host)
        }
        guard found.isEmpty else { return found }

        for (key, pattern) in patterns where workers > 1 && !pattern.contains("{shard}") {
            found.append(
                warning(
                    [key, "workers"],
                    "\(workers) workers share one stream, \(key) = \"\(pattern)\"",
                    "they share its quota: put {shard} into the name to give each its own"))
        }
        let good = Set((0..<workers).map { streamName(shard: $0, host: host) })
        if let shared = (0..<workers).map({ badStreamName(shard: $0, host: host) })
            .first(where: good.contains)
        {
            found.append(
                refused(
                    ["firehose.bad_stream", "firehose.stream"],
                    "the stream \"\(shared)\" would get good rows and bad ones",
                    "bad rows have other columns: give firehose.bad_stream a name of its own"))
        }
        return found
    }

    private func streamNameConflict(
        key: String, pattern: String, host: String
    ) -> SettingsConflict? {
        // The last shard has the longest name.
        let name = Self.fill(pattern, shard: workers - 1 + shardOffset, host: host)
        if name.utf8.contains(UInt8(ascii: "{")) || name.utf8.contains(UInt8(ascii: "}")) {
            return refused(
                [key], "\(key) = \"\(pattern)\" has braces that mean nothing",
                "{shard} and {host} are what is filled in")
        }
        if name.utf8.count > 64 {
            return refused(
                [key], "\(key) gives a name of \(name.utf8.count) bytes: \"\(name)\"",
                "Firehose takes 64: choose a shorter one")
        }
        guard name.utf8.allSatisfy(isNameByte) else {
            return refused(
                [key], "\(key) gives a name Firehose does not take: \"\(name)\"",
                "letters, digits, \"_\", \".\" and \"-\"; this host's name is \"\(host)\"")
        }
        return nil
    }

    private func refused(_ keys: [String], _ message: String, _ hint: String) -> SettingsConflict {
        SettingsConflict(keys: keys, message: message, hint: hint, isWarning: false)
    }

    private func warning(_ keys: [String], _ message: String, _ hint: String) -> SettingsConflict {
        SettingsConflict(keys: keys, message: message, hint: hint, isWarning: true)
    }
}
