import Config
import Platform

/// Whatever can go wrong with a load, told alike.
protocol LoadFailing: Error {
    var loadFailure: LoadFailure { get }
}

extension LoadFailure: LoadFailing {
    var loadFailure: LoadFailure { self }
}

extension PlanRefusal: LoadFailing {
    var loadFailure: LoadFailure { LoadFailure(message, hint: hint, exitCode: LoadExit.usage) }
}

extension TrafficFlaw: LoadFailing {
    var loadFailure: LoadFailure { LoadFailure(message, hint: hint, exitCode: LoadExit.usage) }
}

extension ReplayLog {
    /// As `init(path:)`; what is wrong with the file is told as that of an input.
    convenience init(reading path: String) throws(LoadFailure) {
        do throws(TrafficFlaw) {
            try self.init(path: path)
        } catch {
            throw LoadFailure(error.message, hint: error.hint, exitCode: LoadExit.noInput)
        }
    }
}

extension LedgerFailure: LoadFailing {
    var loadFailure: LoadFailure { LoadFailure(message, hint: hint, exitCode: LoadExit.noInput) }
}

extension Failure: LoadFailing {
    var loadFailure: LoadFailure { LoadFailure(description, exitCode: LoadExit.system) }
}

extension TLSFailure: LoadFailing {
    var loadFailure: LoadFailure {
        LoadFailure(
            description, hint: "check --cacert", exitCode: LoadExit.tls)
    }
}

func writeError(_ text: String) { writeLine(text, to: 2) }
