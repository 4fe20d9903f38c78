import Core

/// What `hydrant credentials` shows. The secret and the token are not in it.
struct CredentialsReport {
    enum Found {
        case aws(FoundCredentials)
        /// Mode local: the pair's file; nil until a cluster has made it.
        case local(path: String, Credentials?)
    }

    var found: Found
    var region: String
    var nowUnixSeconds: Int64

    /// They are of no use any more. The instance's own are used on: AWS extends them when its
    /// metadata service cannot give new ones.
    var hasEnded: Bool {
        guard case .aws(let found) = found, found.source != .instanceMetadata,
            let expiresAt = found.expiresAt
        else { return false }
        return (found.secondsLeft ?? expiresAt - nowUnixSeconds) <= 0
    }

    // MARK: For people

    var text: String {
        var lines: [(String, String)]
        switch found {
        case .local(let path, let pair):
            lines = [
                ("mode", "local: the local Firehose's own key pair, no AWS account is used"),
                ("source", path + (pair == nil ? " (made by the first `hydrant run`)" : "")),
            ]
            if let pair { lines.append(("key", pair.shownKey)) }
        case .aws(let found):
            lines = [("source", found.sourceText), ("key", found.credentials.shownKey)]
            if let role = found.role { lines.append(("role", role)) }
            if let account = found.account { lines.append(("account", account)) }
            lines += [("ends", end(of: found)), ("region", region)]
        }
        return lines.map { name, value in
            name + String(repeating: " ", count: 9 - name.count) + printable(value)
        }.joined(separator: "\n")
    }

    private func end(of found: FoundCredentials) -> String {
        guard let expiresAt = found.expiresAt else { return "never" }
        let left = found.secondsLeft ?? expiresAt - nowUnixSeconds
        var span = left > 0 ? "in \(Self.span(left))" : "\(Self.span(-left)) ago"
        if left <= 0, !hasEnded {
            span += "; used on: AWS extends an instance's own while it has no new ones"
        }
        return "\(isoTime(unixSeconds: expiresAt)) (\(span))"
    }

    /// "5 h 59 min", "59 min 3 s", "12 s".
    static func span(_ seconds: Int64) -> String {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(seconds % 60) s" : "\(seconds) s"
    }

    // MARK: As JSON

    /// One line.
    var json: String {
        var json = JSONText()
        json.object { json in
            switch found {
            case .local(let path, let pair):
                json.field("mode", "local")
                json.field("source", "local")
                json.field("detail", path)
                json.field("access_key_id", pair?.shownKey)
            case .aws(let found):
                json.field("mode", "aws")
                json.field("source", found.source.rawValue)
                json.field("detail", found.detail)
                json.field("access_key_id", found.credentials.shownKey)
                json.field("role", found.role)
                json.field("account", found.account)
                json.field("expires_at", found.expiresAt.map { isoTime(unixSeconds: $0) })
                json.key("expires_in_s")
                if let left = found.secondsLeft { json.number(Int(left)) } else { json.null() }
                json.field("region", region)
            }
        }
        return json.text
    }

    /// There are none.
    struct Failure: Error {
        var attempts: [CredentialAttempt]

        var text: String {
            var text = "error: no AWS credentials\n"
            for attempt in attempts {
                text += "  \(attempt.source.words): \(printable(attempt.outcome))\n"
            }
            return text + "hint: \(hint)\n"
        }

        private var hint: String {
            if let failed = attempts.first(where: \.failed), failed.source != .instanceMetadata {
                return "mend the \(failed.source.words), or remove what points to it"
            }
            return "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in "
                + "AWS_PROFILE, or give this instance, task or pod a role"
        }

        var json: String {
            var json = JSONText()
            json.object { json in
                json.field("error", "no AWS credentials")
                json.key("tried")
                json.array(attempts) { json, attempt in
                    json.object { json in
                        json.field("source", attempt.source.rawValue)
                        json.field("outcome", attempt.outcome)
                        json.key("failed")
                        json.bool(attempt.failed)
                    }
                }
                json.field("hint", hint)
            }
            return json.text
        }
    }
}
