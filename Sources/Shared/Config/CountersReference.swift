import Core

/// docs/counters.md, made from the table of counters.
public enum CountersReference {
    public static var markdown: String {
        var out = """
            # Counters

            Made by `hydrant docs counters` from `Counter.allCases`; a test keeps it so.

            Every process writes its own page of the counter file; whoever reads adds them up. A
            *total* only grows while the cluster runs, over restarts of processes and over reloads,
            and begins at 0 with the next cluster. A *level* is the living process's, and zero when
            it is dead. A *ledger* number is the shard's: it is read back from the spool at each
            start, so it is true across deaths, and over starts of the cluster.

            | Counter | Kind | Meaning |
            |---|---|---|

            """
        for counter in Counter.allCases {
            out += "| `\(counter)` | \(counter.kind) | \(counter.help) |\n"
        }
        return out
    }
}
