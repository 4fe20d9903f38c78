import Testing

/// Every end-to-end test, one after the other: each has a cluster to itself, and the machine.
@Suite(.serialized) enum EndToEnd {}
