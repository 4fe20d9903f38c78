import Testing

/// End-to-end tests that ask how soon, how much or on which CPU: each has the machine to itself.
/// `make test` runs them with `--no-parallel`. (The trait alone does not keep sub-suites apart.)
@Suite(.serialized) enum EndToEnd {}

/// Those that ask only what arrives and what is said, and mostly wait for back-offs, time limits and
/// Python: as many at a time as there are CPUs.
@Suite enum SideBySide {}
