import Config
import Core
import Foundation
import Testing

@Suite struct MovedRowFormatTests {
    private let format = MovedRowFormat(SchemaFile.standard.schema)

    @Test func `the bad row of a refused one has its id, its time and all of it`() {
        let row = #"{"n":{"id":"no"},"id":"01","a":"\"id\":","received_at":"2026-01-02"}"#
        let bad = format.badRow(Array("\(row)\n".utf8))
        #expect(
            String(decoding: bad, as: UTF8.self)
                == #"{"id":"01","received_at":"2026-01-02","reason":"refused_by_firehose","raw":""#
                + Data(row.utf8).base64EncodedString() + "\"}\n")
    }

    @Test func `what is no row of ours is kept all the same`() {
        for row in [
            "", "{", "\"", "{\"id\":", "{\"id\":\"", "{\"id\":\"a\\\"b\"}", "[\"id\",\"x\"]",
        ] {
            let bad = String(decoding: format.badRow(Array(row.utf8)), as: UTF8.self)
            #expect(
                bad == #"{"reason":"refused_by_firehose","raw":""#
                    + Data(row.utf8).base64EncodedString() + "\"}\n", "\(row)")
        }
    }
}
