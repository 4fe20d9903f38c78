import Core
import Foundation
import TestSupport
import Testing

/// The same requests, signed by botocore and by us.
@Suite struct BotocoreTests {
    struct Request: Decodable {
        let kind, method, scheme, host, path, query, region, service, body, id, secret: String
        let headers: [[String]]
        let token: String?
        let seconds: Int64
        let authorization: String

        var credentials: Credentials {
            Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token)
        }

        /// As any request is signed.
        var signed: String {
            var signer = SigV4.Signer(region: region, service: service)
            let date = amzDate(unixSeconds: seconds)
            let own =
                [("Host", host), ("X-Amz-Date", date)]
                + (token.map { [("X-Amz-Security-Token", $0)] } ?? [])
            return signer.authorization(
                credentials: credentials, amzDate: date, method: method, path: path, query: query,
                headers: (headers.map { ($0[0], $0[1]) } + own).map { SigV4.Header($0.0, $0.1) },
                payloadHash: lowerHex(Sha256.digest(body)))
        }

        /// As a worker signs its calls.
        var signedAsCall: String? {
            guard let endpoint = try? ServiceEndpoint(url: "\(scheme)://\(host)") else {
                return nil
            }
            var head = FirehoseCallHead(
                endpoint: endpoint, region: region, credentials: credentials)
            let hash = Array(lowerHex(Sha256.digest(body)).utf8)
            hash.withUnsafeBytes {
                head.sign(unixSeconds: seconds, payloadHash: $0, bodyByteCount: body.utf8.count)
            }
            let lines = String(decoding: head.bytes, as: UTF8.self).split(separator: "\r\n")
            return lines.first { $0.hasPrefix("Authorization: ") }
                .map { String($0.dropFirst("Authorization: ".count)) }
        }
    }

    @Test func `two hundred requests at random have the signatures that botocore gives them`()
        throws
    {
        let folder = TemporaryFolder()
        let (output, errors) = (folder.path + "/out", folder.path + "/errors")
        let seed = 20_261_130
        let signer = try SpawnedProcess(
            python,
            [
                root.appendingPathComponent("Tests/Servers/botocore_signer.py").path, "\(seed)",
                "200",
            ],
            output: output, errors: errors)
        let hasEnded = signer.waitUntilExit(withinSeconds: 60)
        try #require(
            hasEnded && signer.exitStatus == 0,
            "\((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
        let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 200)
        for line in lines {
            let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
            #expect(request.signed == request.authorization, "\(line)")
            if request.kind == "put" {
                #expect(request.signedAsCall == request.authorization, "\(line)")
            }
        }
    }
}
