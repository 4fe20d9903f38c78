import Foundation

/// Asks again, every 20 ms unless told otherwise, until it is true; false if it never was in time.
///
/// A closure and no autoclosure: `#expect` evaluates an argument once and passes on what it got, so
/// that all the asking would give the first answer (LintTests).
public func eventually(
    within seconds: Double, everyMilliseconds: UInt32 = 20, until what: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
        if try what() { return true }
        if ContinuousClock.now > deadline { return false }
        usleep(everyMilliseconds * 1000)
    }
}
