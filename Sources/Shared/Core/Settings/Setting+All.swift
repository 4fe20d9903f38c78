extension Setting {
    /// Every setting, in the order of the reference: top level first, then section by section.
    public static let all: [Setting] = topLevel + spool + delivery + firehose + local + plan + log

    private static let topLevel = [
        Setting(
            "listen", \.listen, .address,
            "Where browsers reach the pixel. `:8080` is every IPv4 interface, `[::]:8080` IPv6 too."
        ),
        Setting(
            "routers", \.routers, .count(1...Limits.routersMax),
            "Processes that hold client connections. One serves many thousand hits a second."),
        Setting(
            "workers", \.workers, .count(1...Limits.workersMax),
            "Processes that validate, spool and deliver: a shard, a spool folder and a stream each."
        ),
        Setting(
            "cores", \.cores, .choice(),
            """
            Where routers and workers run. `pack`: together on one CPU while it is enough for them, \
            which costs less, and on all as soon as it is not. `spread`: wherever the kernel likes.
            """),
        Setting(
            "ack", \.ack, .choice(),
            """
            When a hit is answered. `spooled`: after it is written to its shard's spool file, so it \
            survives the death of any and all processes, but not of the machine's power. `fsync`: \
            after that file is synced, so it survives a power cut too. `received`: at once, from \
            the router's memory. That survives the death of workers; the death of the router, or a \
            shard that cannot store it, loses what is not spooled yet. Nobody has looked at the \
            hit by then, so an invalid one is answered 200 whatever `on_invalid` says.
            """),
        Setting(
            "schema", \.schemaFile, .optionalPath, defaultText: "the embedded schema",
            "The schema file: which columns a row has, and what a valid hit is."),
        Setting(
            "data", \.dataFolder, .path,
            """
            Folder of everything the cluster keeps: spool, local objects and warehouse, control \
            socket. Relative to the config file's folder, or to the working folder without one.
            """),
        Setting(
            "on_invalid", \.onInvalid, .choice(),
            """
            The answer to an invalid hit, which is stored as a bad row either way. `refuse`: 400 \
            with the GIF. `accept`: 200.
            """),
        Setting(
            "shard_key", \.shardKey, .shardKey,
            """
            What decides a hit's shard: the first of these that the request has, else client \
            address and User-Agent together, which need not be named.
            """),
        Setting(
            "wait_limit", \.waitLimitMs, .span(10...60_000),
            "How long a hit may wait for its worker before it is answered 503."),
        Setting(
            "on_shard_down", \.onShardDown, .choice(),
            """
            What happens to the hits of a shard whose worker is gone or says nothing. `wait`: they \
            wait for it, and are answered 503 after `wait_limit`, or at once when its window is \
            full. `reroute`: they go to another shard, so a visitor's hits are in two places.
            """),
        Setting(
            "stop_timeout", \.stopTimeoutMs, .span(100...3_600_000),
            "How long a stop may take before what still runs is killed. Spooled rows stay spooled."),
        Setting(
            "keep_alive", \.keepAliveMs, .span(1000...3_600_000),
            "How long a client connection may stay idle."),
        Setting(
            "connections", \.connectionsMax, .count(1...1_000_000),
            "Client connections a router holds at most; more wait in the kernel."),
        Setting(
            "admin", \.admin, .addressOrOff,
            """
            Where the supervisor answers `/healthz` (it lives) and `/readyz` (this host can take \
            hits, or why not). `off` for nowhere.
            """),
        Setting(
            "on_stop", \.onStop, .choice(),
            """
            What a stop does with rows that are not delivered. `keep`: they stay in the spool for \
            the next start. `deliver`: they are delivered first, for hosts whose disk goes with them.
            """),
        Setting(
            "deliver_timeout", \.deliverTimeoutMs, .span(100...3_600_000),
            "How long `on_stop = \"deliver\"` may take, on top of `stop_timeout`."),
        Setting(
            "hang_limit", \.hangLimitMs, .span(1000...3_600_000),
            """
            A process that says nothing for so long is killed and started anew. Above any stall of \
            the disk that is to be tolerated.
            """),
        Setting(
            "start_limit", \.startLimitMs, .span(1000...3_600_000),
            "A process that is not ready so long after its start is killed and started anew."),
    ]

    private static let spool = [
        Setting(
            "spool.dir", \.spoolFolder, .path, defaultText: "`spool` in the data folder",
            "Folder that holds a folder a shard."),
        Setting(
            "spool.max_bytes", \.spoolBytesMax, .size(64 << 10...64 << 40),
            "Undelivered good rows a shard may hold on disk. At the cap its hits are answered 503."),
        Setting(
            "spool.bad_max_bytes", \.spoolBadBytesMax, .size(64 << 10...64 << 40),
            "The same for bad rows. At the cap bad hits are answered 503; good ones are not."),
        Setting(
            "spool.segment_bytes", \.spoolSegmentBytes, .size(64 << 10...1 << 30),
            "Size at which a spool file is closed and the next begun. Delivered files are removed."),
    ]

    private static let delivery = [
        Setting(
            "delivery.mode", \.deliveryMode, .choice(),
            """
            `local`: a Firehose of our own, in a process beside the workers; no AWS account. \
            `aws`: Amazon Data Firehose in `firehose.region`.
            """),
        Setting(
            "delivery.linger", \.lingerMs, .spanOrAuto(1...900_000),
            "How long rows wait for company before a batch leaves. `auto`: 10 s, locally 1 s."),
        Setting(
            "delivery.linger_bytes", \.lingerBytes,
            .size(1 << 10...UInt64(Limits.firehoseCallBytesMax)),
            "A batch of this size leaves at once. Firehose bills records in steps of 5 KiB."),
        Setting(
            "delivery.linger_count", \.lingerCount, .count(0...1_000_000),
            "So many rows leave at once. 0: they are not counted."),
    ]

    private static let firehose = [
        Setting(
            "firehose.stream", \.stream, .streamPattern,
            "The stream of a shard's good rows."),
        Setting(
            "firehose.bad_stream", \.badStream, .streamPattern,
            "The stream of a shard's bad rows."),
        Setting(
            "firehose.shard_offset", \.shardOffset, .count(0...1_000_000),
            "Added to the shard's number in `{shard}`, so that hosts can share one numbering."),
        Setting(
            "firehose.records", \.records, .choice(),
            """
            How rows become Firehose records. `aggregated`: each record holds as many as fit in \
            1,000 KiB. `one-per-row`: for a pipeline behind Firehose that takes nothing else. \
            Firehose bills each record as a multiple of 5 KiB, so that a stream of 500-byte rows \
            costs ten times as much, and a call carries 500 rows at most.
            """),
        Setting(
            "firehose.max_rows_per_record", \.rowsPerRecordMax, .count(0...1_000_000),
            """
            Rows of an aggregated record, for a pipeline behind Firehose that takes records apart \
            and has a limit (dynamic partitioning and Lambda: 500). 0: as many as fit.
            """),
        Setting(
            "firehose.quota", \.quotaBytes, .sizeOrAuto(64 << 10...1 << 40),
            """
            What a stream takes a second, in bytes before base64; its quotas of records and calls \
            are in proportion. Workers keep below it, and those that share a stream share it. \
            `auto`: what AWS gives a new stream in `firehose.region` (5 MiB in us-east-1, us-west-2 \
            and eu-west-1, 1 MiB elsewhere), locally no limit. Set it when AWS has raised yours, or \
            when others write to the stream too.
            """),
        Setting(
            "firehose.region", \.region, .region, aws: ["AWS_REGION", "AWS_DEFAULT_REGION"],
            profile: "region",
            "Region of the streams: where calls go, and what they are signed for."),
        Setting(
            "firehose.endpoint_url", \.endpointURL, .endpoint,
            defaultText: "the region's own endpoint",
            aws: ["AWS_ENDPOINT_URL_FIREHOSE", "AWS_ENDPOINT_URL"], profile: "endpoint_url",
            """
            Where to call in mode `aws` instead of the region's endpoint: a VPC endpoint, or a \
            stand-in.
            """),
        Setting(
            "firehose.fips", \.usesFIPS, .yesOrNo, aws: ["AWS_USE_FIPS_ENDPOINT"],
            profile: "use_fips_endpoint",
            "Call the region's FIPS 140 endpoint. Only some regions have one."),
        Setting(
            "firehose.dual_stack", \.usesDualStack, .yesOrNo,
            aws: ["AWS_USE_DUALSTACK_ENDPOINT"], profile: "use_dualstack_endpoint",
            "Call the region's endpoint that has IPv6 addresses too."),
        Setting(
            "firehose.ca_file", \.authoritiesFile, .optionalPath,
            defaultText: "the system's authorities", aws: ["AWS_CA_BUNDLE"],
            profile: "ca_bundle",
            """
            PEM file of the certificate authorities to believe, and no others: for a proxy that \
            looks into TLS, or a stand-in. A server that cannot prove who it is gets nothing.
            """),
    ]

    private static let local = [
        Setting(
            "local.listen", \.localListen, .address,
            "Where the local Firehose takes calls; any AWS SDK can be pointed at it."),
        Setting(
            "local.sink", \.sink, .choice(),
            """
            What becomes of delivered rows. `warehouse`: GZIP objects, loaded into an embedded \
            database. `objects`: the objects only. `discard`: nothing, for measuring.
            """),
        Setting(
            "local.buffer_interval", \.bufferIntervalMs, .span(100...900_000),
            "How long rows are gathered before an object is written."),
        Setting(
            "local.priority", \.localPriority, .choice(),
            """
            When the local Firehose has a CPU. `idle`: when nobody else wants it, so that it costs \
            the collector nothing. `normal`: as any other process, where rows must arrive although \
            something else keeps every CPU busy.
            """),
        Setting(
            "local.fault_plan", \.faultPlanFile, .optionalPath, defaultText: "no faults",
            """
            File of the faults that the local Firehose shows, to see how all else bears them \
            (docs/faults.md). `hydrant faults` changes them while it runs.
            """),
        Setting(
            "local.tls_certificate", \.localCertificateFile, .optionalPath,
            defaultText: "plain HTTP",
            """
            PEM file of the certificate, and what leads to its authority, with which the local \
            Firehose speaks TLS. The workers believe `firehose.ca_file`, or without one this \
            certificate itself.
            """),
        Setting(
            "local.tls_key", \.localKeyFile, .optionalPath, defaultText: "plain HTTP",
            "PEM file of that certificate's key, without a passphrase."),
    ]

    private static let plan = [
        Setting(
            "plan.price_per_gb", \.pricePerGB, .price, defaultText: "none",
            """
            USD that Firehose bills for a GB (2^30 bytes) of records in your region, for \
            `hydrant plan`; see AWS's price list. 0 is none.
            """)
    ]

    private static let log = [
        Setting(
            "log.level", \.logLevel, .choice(),
            "The least urgent messages that are written to stderr."),
        Setting(
            "log.format", \.logFormat, .choice(),
            """
            `text`: a line a message. `json`: an object a line. `auto`: text, in colour on a \
            terminal, and with the journal's own priorities under systemd.
            """),
    ]
}
