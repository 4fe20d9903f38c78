import Core
import Testing

@Suite struct CivilTimeTests {
    static let moments: [(Int64, String, String)] = [
        (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "19941106T084937Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_767_323_045, "20260102T030405Z", "Fri, 02 Jan 2026 03:04:05 GMT"),
        (4_107_542_399, "21000228T235959Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
    ]

    @Test(arguments: moments)
    func `known moments are written and read`(seconds: Int64, amz: String, http: String) {
        #expect(amzDate(unixSeconds: seconds) == amz)
        #expect(parseAmzDate(amz) == seconds)
        #expect(httpDate(unixSeconds: seconds) == http)
        #expect(parseHTTPDate(http) == seconds)
    }

    @Test func `every day of four hundred years is followed by the next`() {
        for day in Int64(0)..<146_097 {
            let civil = CivilTime(unixSeconds: day * 86_400)
            #expect(civil.unixSeconds == day * 86_400)
            let next = CivilTime(unixSeconds: (day + 1) * 86_400)
            if next.day != civil.day + 1 { #expect(next.day == 1) }
        }
    }

    @Test(arguments: [
        "", "2026", "20260102T030405", "20260102 030405Z", "20261302T030405Z", "20260230T030405Z",
        "20260102T240405Z", "2026010aT030405Z", "20260102T030405ZZ",
    ])
    func `what is no moment of AWS's is nil`(text: String) {
        #expect(parseAmzDate(text) == nil)
    }

    @Test(arguments: [
        "", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nuv 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
    ])
    func `what is no HTTP date is nil`(text: String) {
        #expect(parseHTTPDate(text) == nil)
    }
}
