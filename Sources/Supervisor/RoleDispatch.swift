import Core
import Platform

/// The one place that knows which target runs which role. Answers the child's exit code.
func dispatch(_ inheritance: Inheritance) throws -> Int32 {
    switch inheritance.role {
    case .router, .worker, .localFirehose:
        writeLine("error: \(inheritance.role.rawValue) is not linked into this binary", to: 2)
        return ClusterExit.system
    }
}
