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
            ("us-iso-", topSecret), ("us-isob-", secret), ("eu-isoe-", british),
            ("us-isof-", defense),
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
    static let topSecret = AWSPartition(
        name: "aws-iso", suffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov")
    static let secret = AWSPartition(
        name: "aws-iso-b", suffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud")
    static let british = AWSPartition(
        name: "aws-iso-e", suffix: "cloud.adc-e.uk", dualStackSuffix: "api.cloud-aws.adc-e.uk")
    static let defense = AWSPartition(
        name: "aws-iso-f", suffix: "csp.hci.ic.gov", dualStackSuffix: "api.aws.hci.ic.gov")
}

/// Whether a region of AWS might be called so: "eu-central-1", "us-gov-west-1", "eusc-de-east-1". Which
/// there are changes; that they are words and then a number has not.
public func isLikeAWSRegion(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else { return false }
    return parts.last!.allSatisfy(isDigit)
        && !parts.dropLast().contains { $0.contains(where: isDigit) }
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
