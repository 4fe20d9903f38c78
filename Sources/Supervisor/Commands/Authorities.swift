import Config
import Core
import Platform

/// The file of certificate authorities, looked at before anything starts: a worker that cannot use
/// it does not start.
enum Authorities {
    static func problem(_ loaded: LoadedSettings) -> ConfigProblem? {
        guard let path = loaded.settings.authoritiesFile else { return nil }
        do throws(TLSFailure) {
            _ = try TLSContext.client(trust: .authorities(path: path))
            return nil
        } catch {
            return ConfigProblem(
                .file(path), "firehose.ca_file cannot be used: \(error.reason)",
                hint: "name a PEM file of certificate authorities, or remove "
                    + "\(origin(loaded)) to believe the system's")
        }
    }

    /// What names the file.
    private static func origin(_ loaded: LoadedSettings) -> String {
        switch loaded.origins["firehose.ca_file"] {
        case .byDefault, nil: "firehose.ca_file"
        case .environment(let name): name
        case .profile(let name): "ca_bundle of AWS profile \(name)"
        case .file, .flag: "firehose.ca_file"
        }
    }
}
