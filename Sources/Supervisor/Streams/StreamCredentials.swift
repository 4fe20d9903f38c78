import Core
import Platform

/// The one place where the commands about streams get their key pair: in mode local the local
/// Firehose's, in mode aws what a worker would find.
func streamCredentials(_ settings: Settings) throws -> Credentials {
    switch settings.deliveryMode {
    case .local:
        let folder = DataFolder(path: settings.dataFolder)
        let text = (try? SmallFile.read(folder.localCredentials)) ?? []
        guard let pair = Credentials(profileFile: String(decoding: text, as: UTF8.self)) else {
            throw ClusterFailure(
                "\(folder.localCredentials): no key pair of the local Firehose",
                hint: "start a cluster there with `hydrant run`, or speak of AWS: "
                    + "--set delivery.mode=aws",
                exitCode: ClusterExit.unavailable)
        }
        return pair
    case .aws:
        do {
            return try Glue.findCredentials(settings).credentials
        } catch {
            throw ClusterFailure(
                "there are no AWS credentials", hint: "`hydrant credentials` says where was looked",
                exitCode: ClusterExit.unavailable)
        }
    }
}
