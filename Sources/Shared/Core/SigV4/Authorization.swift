extension SigV4 {
    /// The `Authorization` header of a signed request, taken apart.
    public struct Authorization: Equatable, Sendable {
        public var accessKeyID: String
        public var scope: CredentialScope
        /// Lower case, in the header's order.
        public var signedHeaders: [String]
        /// As it came: 64 hex digits if the signer is sane.
        public var signature: String

        public init(
            accessKeyID: String, scope: CredentialScope, signedHeaders: [String], signature: String
        ) {
            self.accessKeyID = accessKeyID
            self.scope = scope
            self.signedHeaders = signedHeaders
            self.signature = signature
        }

        public var text: String {
            "\(algorithm) Credential=\(accessKeyID)/\(scope.text), "
                + "SignedHeaders=\(signedHeaders.joined(separator: ";")), Signature=\(signature)"
        }

        /// Why a header is not one of ours to check. Words as the service gives them.
        public enum Flaw: Error, Equatable {
            /// Another scheme, or none.
            case algorithm
            /// One of Credential, SignedHeaders, Signature is not there.
            case missing(StaticPart)
            /// Credential is not KEY/YYYYMMDD/REGION/SERVICE/aws4_request.
            case credential

            public enum StaticPart: String, Sendable {
                case credential = "Credential"
                case signedHeaders = "SignedHeaders"
                case signature = "Signature"
            }
        }

        /// Reads the header's value. Parts may come in any order, with or without spaces.
        public init(parsing value: String) throws(Flaw) {
            let words = value.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0] == algorithm else { throw .algorithm }
            var parts: [Substring: Substring] = [:]
            for part in words[1].split(separator: ",") {
                let halves = part.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if halves.count == 2 { parts[trimmed(halves[0])] = trimmed(halves[1]) }
            }
            guard let credential = parts["Credential"] else { throw .missing(.credential) }
            guard let names = parts["SignedHeaders"], !names.isEmpty
            else { throw .missing(.signedHeaders) }
            guard let signature = parts["Signature"], !signature.isEmpty
            else { throw .missing(.signature) }
            let fields = credential.split(separator: "/", omittingEmptySubsequences: false)
            guard fields.count == 5, fields[4] == terminator, fields[1].utf8.count == 8,
                fields.allSatisfy({ !$0.isEmpty })
            else { throw .credential }
            accessKeyID = String(fields[0])
            scope = CredentialScope(
                day: String(fields[1]), region: String(fields[2]), service: String(fields[3]))
            signedHeaders = names.split(separator: ";").map { $0.lowercased() }
            self.signature = String(signature)
        }
    }
}

/// Without the spaces and tabs at its ends.
func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" || first == "\r" {
        text = text.dropFirst()
    }
    while let last = text.last, last == " " || last == "\t" || last == "\r" {
        text = text.dropLast()
    }
    return text
}
