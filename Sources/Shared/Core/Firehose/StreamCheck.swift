/// A stream that the settings name, held against the one that is there.
public struct StreamCheck: Equatable, Sendable {
    public enum Rows: String, Equatable, Sendable { case good, bad }

    /// What a stream is to be.
    public struct Wanted: Equatable, Sendable {
        public var name: String
        public var rows: Rows
        public var region: String
        /// Workers of this host that write to it.
        public var workers: Int
        /// The table and the columns of its rows.
        public var table: String
        public var columns: [String]

        public init(
            name: String, rows: Rows, region: String, workers: Int, table: String,
            columns: [String]
        ) {
            self.name = name
            self.rows = rows
            self.region = region
            self.workers = workers
            self.table = table
            self.columns = columns
        }
    }

    public enum Found: Equatable, Sendable {
        case stream(StreamDescription)
        case missing
        /// The service did not tell: its code and message.
        case refused(code: String, message: String)
    }

    public struct Finding: Equatable, Sendable {
        public enum Gravity: String, Equatable, Sendable {
            /// Rows do not arrive, or not in the table.
            case problem
            /// They do, and somebody should know.
            case warning
            case note
        }

        public var gravity: Gravity
        public var text: String
        /// A command, or words where there is none.
        public var mend: String?
    }

    public var wanted: Wanted
    public var found: Found

    public init(_ wanted: Wanted, _ found: Found) {
        self.wanted = wanted
        self.found = found
    }

    public var isReady: Bool { !findings.contains { $0.gravity == .problem } }

    /// One word for a table: the service's own where there is one.
    public var state: String {
        switch found {
        case .stream(let it): it.status
        case .missing: "missing"
        case .refused: "unknown"
        }
    }

    /// Everything to say of it, the worst first.
    public var findings: [Finding] {
        switch found {
        case .missing:
            [
                problem(
                    "is not in region \(wanted.region) of this account",
                    "hydrant streams create, or set firehose.region to where it is")
            ]
        case .refused(let code, let message): [refused(code, message)]
        case .stream(let it):
            status(it) + place(it) + destination(it) + encryption(it) + shared()
        }
    }

    private func refused(_ code: String, _ message: String) -> Finding {
        let words = message.isEmpty ? code : "\(code): \(message)"
        let mend =
            switch code {
            case "AccessDenied", "AccessDeniedException", "NotAuthorized":
                "allow firehose:DescribeDeliveryStream on "
                    + "arn:\(AWSPartition.of(region: wanted.region).name):firehose:"
                    + "\(wanted.region):ACCOUNT:deliverystream/\(wanted.name)"
            case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
                "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException":
                "use a key pair of this account, and its session token if it has one"
            default: "look at the message; then hydrant streams check"
            }
        return problem("cannot be looked at: \(words)", mend)
    }

    // MARK: The stream

    private func status(_ it: StreamDescription) -> [Finding] {
        let why = it.failure.isEmpty ? "" : " (\(it.failure))"
        switch it.status {
        case "ACTIVE": break
        case "CREATING":
            return [problem("is being created", "wait a minute, then hydrant streams check")]
        case "DELETING", "DELETING_FAILED":
            return [problem("is being deleted\(why)", "hydrant streams create, once it is gone")]
        case "CREATING_FAILED": return [problem("could not be created\(why)", remake)]
        default: return [problem("is in state \(it.status)\(why)", "look at it in AWS's console")]
        }
        if it.type.isEmpty || it.type == "DirectPut" { return [] }
        return [problem("takes its rows from \(it.type), not from calls", remake)]
    }

    private func place(_ it: StreamDescription) -> [Finding] {
        if it.region.isEmpty || it.region == wanted.region { return [] }
        return [
            problem(
                "is in region \(it.region) of account \(it.account), and calls are signed for "
                    + wanted.region,
                "set firehose.region = \"\(it.region)\", or firehose.endpoint_url for "
                    + wanted.region)
        ]
    }

    private func encryption(_ it: StreamDescription) -> [Finding] {
        if !it.encryption.hasSuffix("_FAILED") { return [] }
        let why = it.failure.isEmpty ? "" : ": \(it.failure)"
        return [
            problem(
                "its encryption is in state \(it.encryption)\(why)",
                "aws firehose start-delivery-stream-encryption --region \(wanted.region) "
                    + "--delivery-stream-name \(wanted.name)")
        ]
    }

    private func shared() -> [Finding] {
        if wanted.workers < 2 { return [] }
        let key = wanted.rows == .good ? "firehose.stream" : "firehose.bad_stream"
        return [
            Finding(
                gravity: .note,
                text: "is shared by \(wanted.workers) workers, each with 1/\(wanted.workers) of "
                    + "its quota",
                mend: "put {shard} into \(key) to give each a stream of its own")
        ]
    }

    // MARK: Its destination

    private func destination(_ it: StreamDescription) -> [Finding] {
        guard let destination = it.destination else {
            return [problem("has no destination", remake)]
        }
        switch destination.kind {
        case .other(let name):
            return [problem("writes to \(name), not to Redshift or S3", remake)]
        case .s3: return s3(it, destination)
        case .redshift: return redshift(it, destination)
        }
    }

    private func s3(
        _ it: StreamDescription, _ destination: StreamDescription.Destination
    ) -> [Finding] {
        if destination.compression == "GZIP" { return [] }
        return [
            Finding(
                gravity: .warning,
                text: "writes objects without GZIP (\(destination.compression)): about ten times "
                    + "the bytes to keep and to load",
                mend: update(it, "--extended-s3-destination-update CompressionFormat=GZIP"))
        ]
    }

    private func redshift(
        _ it: StreamDescription, _ destination: StreamDescription.Destination
    ) -> [Finding] {
        var found: [Finding] = []
        let options = destination.copyOptions.uppercased()
        let words = options.split(whereSeparator: \.isWhitespace)
        let readsGZIP = words.contains("GZIP")
        if destination.compression != "GZIP" {
            let text = "writes objects without GZIP (\(destination.compression))"
            let mend = update(it, redshiftUpdate(destination, compresses: true))
            found.append(
                readsGZIP
                    ? problem("\(text), and COPY is told to expect GZIP: every load fails", mend)
                    : Finding(gravity: .warning, text: text, mend: mend))
        } else if !readsGZIP {
            found.append(
                problem(
                    "CopyOptions lacks GZIP, and the objects are compressed: every load fails",
                    update(it, redshiftUpdate(destination))))
        }
        if !words.contains(where: { $0.hasPrefix("JSON") }) {
            found.append(
                problem(
                    "CopyOptions lacks FORMAT AS JSON 'auto', and rows are JSON: every load fails",
                    update(it, redshiftUpdate(destination))))
        } else if !words.contains("MAXERROR") {
            found.append(
                Finding(
                    gravity: .warning,
                    text: "CopyOptions lacks MAXERROR: one row that cannot be loaded keeps out "
                        + "all of its load",
                    mend: update(it, redshiftUpdate(destination))))
        }
        return found + table(it, destination)
    }

    private func table(
        _ it: StreamDescription, _ destination: StreamDescription.Destination
    ) -> [Finding] {
        var found: [Finding] = []
        let table = destination.table.split(separator: ".").last.map(String.init) ?? ""
        if table.filter({ $0 != "\"" }).lowercased() != wanted.table {
            found.append(
                Finding(
                    gravity: .warning,
                    text: "loads into \(destination.table); the schema's table of \(wanted.rows) "
                        + "rows is \(wanted.table)",
                    mend: update(it, redshiftUpdate(destination, table: wanted.table))))
        }
        let listed = destination.columns.lowercased().split(separator: ",").map {
            $0.filter { $0 != " " && $0 != "\"" }
        }
        let missing = wanted.columns.filter { !listed.contains($0) }
        if !listed.isEmpty, !missing.isEmpty {
            found.append(
                Finding(
                    gravity: .warning,
                    text: "DataTableColumns lacks \(missing.joined(separator: ", ")): not loaded",
                    mend: update(it, redshiftUpdate(destination))))
        }
        return found
    }

    // MARK: Commands

    /// A stream's kind of destination cannot be changed.
    private var remake: String {
        "aws firehose delete-delivery-stream --region \(wanted.region) --delivery-stream-name "
            + "\(wanted.name), then hydrant streams create"
    }

    private func update(_ it: StreamDescription, _ change: String) -> String {
        "aws firehose update-destination --region \(wanted.region) "
            + "--delivery-stream-name \(wanted.name) "
            + "--current-delivery-stream-version-id \(it.versionID) "
            + "--destination-id \(it.destination?.id ?? "") \(change)"
    }

    /// COPY's whole command is replaced, so all of it is given.
    private func redshiftUpdate(
        _ destination: StreamDescription.Destination, compresses: Bool = false,
        table: String? = nil
    ) -> String {
        var json = "{\"CopyCommand\":{\"DataTableName\":\(jsonQuoted(table ?? destination.table))"
        if !destination.columns.isEmpty {
            json += ",\"DataTableColumns\":\(jsonQuoted(wanted.columns.joined(separator: ",")))"
        }
        json += ",\"CopyOptions\":\(jsonQuoted(StreamRequest.copyOptions))}"
        if compresses { json += ",\"S3Update\":{\"CompressionFormat\":\"GZIP\"}" }
        let quoted = (json + "}").split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''")
        return "--redshift-destination-update '\(quoted)'"
    }

    private func problem(_ text: String, _ mend: String?) -> Finding {
        Finding(gravity: .problem, text: text, mend: mend)
    }
}
