import ChildSupport
import Core
import LocalFirehose
import Platform
import Router
import Worker

/// The one place that knows which target runs which role. Returns only when a child could not
/// start; its exit code.
func dispatch(_ inheritance: Inheritance) -> Int32 {
    do {
        let child = try ChildContext(inheritance)
        do {
            switch inheritance.role {
            case .router: try runRouter(child)
            case .worker: try runWorker(child)
            case .localFirehose: try runLocalFirehose(child)
            }
        } catch {
            child.leaveLastWords("\(error)")
            child.log.error("\(error)")
            return ClusterExit.system
        }
    } catch {
        // Before there is a log.
        writeLine("error: \(inheritance.role.rawValue) \(inheritance.slot): \(error)", to: 2)
        return ClusterExit.system
    }
}
