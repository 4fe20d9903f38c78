extension Setting {
    /// What a running cluster cannot change: where it is found, and what the supervisor and the local
    /// Firehose were started with.
    public static let fixedKeys: Set<String> = [
        "listen", "cores", "data", "admin", "spool.dir", "delivery.mode", "local.listen",
        "local.sink", "local.buffer_interval", "local.priority",
        "local.fault_plan", "local.tls_certificate", "local.tls_key",
    ]

    /// The keys whose values differ, in the table's order.
    public static func changed(from old: Settings, to new: Settings) -> [Setting] {
        all.filter { $0.value(in: old) != $0.value(in: new) }
    }
}
