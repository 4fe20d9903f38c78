/// Where AWS serves Firehose: the rules of the endpoint sets that the SDKs carry.
public struct AWSPartition: Equatable, Sendable {
    /// As in ARNs: "aws", "aws-cn".
    public let name: String
    let suffix: String
    let dualStackSuffix: String

    /// The partition that a region is of, told by its name; unknown ones are of "aws".
    public static func of(region: String) -> AWSPartition {
        for (prefix, partition) in [
            ("cn-", china), ("us-gov-", government), ("eusc-", europeanSovereign),
        ] where region.hasPrefix(prefix) { return partition }
        return commercial
    }

    static let commercial = AWSPartition(
        name: "aws", suffix: "amazonaws.com", dualStackSuffix: "api.aws")
    static let china = AWSPartition(
        name: "aws-cn", suffix: "amazonaws.com.cn",
        dualStackSuffix: "api.amazonwebservices.com.cn")
    static let government = AWSPartition(
        name: "aws-us-gov", suffix: "amazonaws.com", dualStackSuffix: "api.aws")
    static let europeanSovereign = AWSPartition(
        name: "aws-eusc", suffix: "amazonaws.eu",
        dualStackSuffix: "api.amazonwebservices.eu")
}

extension ServiceEndpoint {
    /// A regional endpoint of an AWS service, over TLS.
    ///
    /// - Parameter service: the name in the host, as "firehose" or "sts".
    public static func aws(
        _ service: String, region: String, usesFIPS: Bool = false, usesDualStack: Bool = false
    ) -> ServiceEndpoint {
        let partition = AWSPartition.of(region: region)
        let name = service + (usesFIPS ? "-fips" : "")
        let suffix = usesDualStack ? partition.dualStackSuffix : partition.suffix
        return ServiceEndpoint(isTLS: true, host: "\(name).\(region).\(suffix)", port: 443)
    }
}
