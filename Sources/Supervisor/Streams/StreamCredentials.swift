import Core
import Platform

/// The one place where the commands about streams get their key pair: in mode local the local
/// Firehose's, in mode aws the environment's.
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
        guard let pair = Credentials(environment: processEnvironment()) else {
            throw ClusterFailure(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set",
                hint: "set them, and AWS_SESSION_TOKEN if the pair is temporary",
                exitCode: ClusterExit.failed)
        }
        return pair
    }
}
