import Testing

/// Every end-to-end test. `make test` runs them with `--no-parallel`, one after the other: each has a
/// cluster to itself, and the machine. (The trait alone does not keep sub-suites apart.)
@Suite(.serialized) enum EndToEnd {}
