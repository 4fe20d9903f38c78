import TestSupport
import Testing

extension EndToEnd {
    /// Firehose away, in whole or in part; `make soak` has the ten minutes.
    @Suite struct OutageTests {
        @Test func `Firehose away under load: memory stays, and the backlog is caught up with`()
            throws
        {
            // Too short for every buffer to have been used, so the bound is a wider one.
            try expectGood("outage", "--seconds", "9", "--growth-max", "4")
        }

        @Test func `a missing stream of bad rows holds up bad rows only`() throws {
            try expectGood("badstream", "--seconds", "5")
        }
    }
}
