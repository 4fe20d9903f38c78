import Core
import Testing

@Suite struct CredentialsTests {
    @Test func `a pair written to a profile file is read back`() {
        for token in [nil, "token=="] {
            let pair = Credentials(
                accessKeyID: "AK", secretAccessKey: "se/cret+=", sessionToken: token)
            #expect(Credentials(profileFile: pair.profileFile) == pair)
        }
    }

    @Test func `the file has the layout other tools read`() {
        #expect(
            Credentials(accessKeyID: "AK", secretAccessKey: "s").profileFile
                == "[default]\naws_access_key_id = AK\naws_secret_access_key = s\n")
    }

    @Test func `comments, other profiles and spacing are as in the AWS CLI's file`() {
        let text = """
            # made by hand
            [other]
            aws_access_key_id=OTHER
            aws_secret_access_key=othersecret
              [ default ]
            ; a comment
            AWS_Access_Key_ID   =   AK\r
            aws_secret_access_key=s=s
            region = us-east-1
            """
        #expect(
            Credentials(profileFile: text)
                == Credentials(accessKeyID: "AK", secretAccessKey: "s=s"))
        #expect(Credentials(profileFile: text, profile: "other")?.accessKeyID == "OTHER")
        #expect(Credentials(profileFile: text, profile: "absent") == nil)
    }

    @Test func `half a pair is no pair`() {
        #expect(Credentials(profileFile: "[default]\naws_access_key_id = AK\n") == nil)
        #expect(Credentials(profileFile: "[default]\naws_secret_access_key = s\n") == nil)
        #expect(Credentials(environment: ["AWS_ACCESS_KEY_ID": "AK"]) == nil)
        let blank = ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": ""]
        #expect(Credentials(environment: blank) == nil)
    }

    @Test func `the environment gives a pair, with or without a token`() {
        var environment = ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"]
        #expect(
            Credentials(environment: environment)
                == Credentials(accessKeyID: "AK", secretAccessKey: "s"))
        environment["AWS_SESSION_TOKEN"] = "t"
        #expect(Credentials(environment: environment)?.sessionToken == "t")
    }

    @Test func `printing a pair shows no secret`() {
        let pair = Credentials(
            accessKeyID: "AK", secretAccessKey: "topsecret", sessionToken: "toptoken")
        var dumped = ""
        dump(pair, to: &dumped)
        for text in ["\(pair)", String(reflecting: pair), dumped] {
            #expect(!text.contains("topsecret") && !text.contains("toptoken"))
        }
    }
}
