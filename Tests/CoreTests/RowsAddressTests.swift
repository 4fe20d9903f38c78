import Core
import TestSupport
import Testing

@Suite struct RowsAddressTests {
    @Test(arguments: [
        ("00000000000000000000ffff00000000", "0.0.0.0"),
        ("00000000000000000000ffffc0a80a63", "192.168.10.99"),
        ("00000000000000000000ffffffffffff", "255.255.255.255"),
        ("00000000000000000000ffff096400c8", "9.100.0.200"),
        ("00000000000000000000000000000000", "::"),
        ("00000000000000000000000000000001", "::1"),
        ("20010db8000000000000000000000000", "2001:db8::"),
        ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
        ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
        ("20010db8000100000001000000000001", "2001:db8:1:0:1::1"),
        ("00010002000300040005000600070008", "1:2:3:4:5:6:7:8"),
        ("abcdef0100230004fffeffffffffffff", "abcd:ef01:23:4:fffe:ffff:ffff:ffff"),
        ("fe800000000000000000000000000abc", "fe80::abc"),
        ("00000000000000000000fffe01020304", "::fffe:102:304"),
    ])
    func `an address is written as RFC 5952 has it`(digits: String, text: String) throws {
        var hit = SampleHit("/")
        hit.address = unhexed(digits)
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(name: "a", type: .varchar(45), sources: [.clientAddress]),
                .init(name: "b", type: .varchar(45), sources: [.query("ip")]),
            ]))
        let object = try #require(parsedRow(rows.encode(hit).row))
        #expect(object["a"] as? String == text)
    }

    @Test func `an address may stand in for a missing parameter`() throws {
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(
                    name: "ip", type: .varchar(45), sources: [.query("ip"), .clientAddress],
                    required: true),
            ]))
        let own = try #require(parsedRow(rows.encode(SampleHit("/?ip=10.1.1.1")).row))
        #expect(own["ip"] as? String == "10.1.1.1")
        let other = try #require(parsedRow(rows.encode(SampleHit("/?ip=")).row))
        #expect(other["ip"] as? String == "192.0.2.7")
    }
}
