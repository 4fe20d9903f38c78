import Core
import Foundation
import TestSupport
import Testing

@testable import LoadTest

@Suite struct LedgerRowTests {
    private let maker = RowMaker()
    private let wanted = HitLabel(run: 0x0a0b_0c0d, sequence: 0x12_3456_789a)
    private let id: UInt64 = 99

    private func scannedRow(_ text: String) -> ScannedRow? {
        let rows = scanned(Array((text + "\n").utf8))
        #expect(rows.count == 1)
        return rows.first
    }

    private var target: String { "_hl=\(wanted.text)" }

    @Test func `a good row tells its label and its id`() {
        let row = maker.row("/p.gif?event=load&x_hl=1&\(target)&r_h=_h&z=5", id: id)
        let fold = RowID.fold(uuid: Array(idText(id).utf8))
        #expect(scanned(row) == [ScannedRow(label: wanted, id: fold)])
    }

    @Test func `of several labels in one request the first counts`() {
        let other = label(5)
        let row = maker.row("/p.gif?event=load&\(target)&_hl=\(other)", id: id)
        #expect(String(decoding: row, as: UTF8.self).contains("[\"\(wanted.text)\",\"\(other)\"]"))
        #expect(scanned(row).map(\.label) == [wanted])
    }

    /// Each length of what comes before puts the label at another place of the base64.
    @Test func `a bad row tells its label from its raw bytes`() {
        let fold = RowID.fold(uuid: Array(idText(id).utf8))
        for length in 0..<48 {
            let before = "u=" + String(repeating: "x", count: length)
            for target in ["/p.gif?\(before)&\(target)", "/p.gif?\(before)&\(target)&z=1"] {
                let row = maker.row(target, id: id)
                #expect(String(decoding: row, as: UTF8.self).contains("missing_required"))
                #expect(scanned(row) == [ScannedRow(label: wanted, id: fold, isBad: true)])
            }
        }
    }

    @Test func `a label is found at every place of long raw bytes`() {
        for length in stride(from: 2900, through: 3200, by: 1) {
            let target = "/p.gif?u=" + String(repeating: "x", count: length) + "&" + target
            #expect(scanned(maker.row(target, id: id)).map(\.label) == [wanted])
        }
        let far = "/p.gif?u=" + String(repeating: "x", count: 15_000) + "&" + target
        #expect(scanned(maker.row(far, id: id)).map(\.label) == [wanted])
    }

    @Test func `a hit that was never decoded tells its label`() {
        let rows = scanned(maker.opaqueRow("/p.gif?event=load&\(target)&z=1", id: id))
        #expect(rows.map(\.label) == [wanted])
        #expect(rows.map(\.isBad) == [true])
        #expect(rows.map(\.id) == [RowID.fold(uuid: Array(idText(id).utf8))])
    }

    @Test func `another parameter that ends like the label's name is none`() {
        #expect(scanned(maker.row("/p.gif?x\(target)", id: id)).map(\.label) == [nil])
        #expect(scanned(maker.row("/p.gif?event=load&x\(target)", id: id)).map(\.label) == [nil])
    }

    @Test func `a row that went through a warehouse tells its label`() {
        let text = wanted.text
        let fold = RowID.fold(uuid: Array(idText(id).utf8))
        let forms = [
            "{\"id\":\"\(idText(id))\",\"extra\":\"{\\\"_hl\\\":\\\"\(text)\\\"}\"}",
            "{\"extra\": {\"_hl\": [\"\(text)\"]}, \"event\": \"load\", \"id\":\"\(idText(id))\"}",
            "\(idText(id)),load,\"{\"\"_hl\"\":\"\"\(text)\"\"}\"",
            "\(idText(id))|load|{\"_hl\":\"\(text)\",\"z\":\"1\"}",
            "\(idText(id).uppercased())|load|{\\\"_hl\\\":\\\"\(text)\\\"}",
        ]
        for form in forms {
            #expect(scannedRow(form) == ScannedRow(label: wanted, id: fold), "\(form)")
        }
        let raw = Data("/p.gif?\(target)&z=1".utf8).base64EncodedString()
        for form in [
            "\(idText(id)),2026-11-23,missing_required,,192.0.2.7,,\(raw)",
            "\"\(idText(id))\",\"missing_required\",\"\(raw)\"",
        ] {
            #expect(scannedRow(form) == ScannedRow(label: wanted, id: fold, isBad: true), "\(form)")
        }
    }

    @Test func `a page's text that looks like a label does not hide the label`() {
        let fake = "{\"_hl\":\"\(label(1))\"}"
        let escaped = fake.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        let row = maker.row("/p.gif?event=load&url=\(escaped)&\(target)", id: id)
        #expect(String(decoding: row, as: UTF8.self).contains("\\\"_hl\\\""))
        #expect(scanned(row).map(\.label) == [wanted])
    }

    @Test func `Firehose's error objects hold records, and those hold rows`() {
        let rows = maker.good(1, id: 1) + maker.bad(2, id: 2)
        let line =
            "{\"attemptsMade\":4,\"errorCode\":\"Redshift.CopyFailed\",\"rawData\":\""
            + Data(rows).base64EncodedString() + "\"}\n"
        let found = scanned(Array(line.utf8))
        #expect(found.map(\.label?.sequence) == [1, 2])
        #expect(found.map(\.isBad) == [false, true])
    }

    @Test func `a row is found however the text is cut`() {
        let text =
            maker.good(1, id: 1) + maker.bad(2, id: 2) + Array("{\"foreign\":true}\n\n".utf8)
            + maker.good(3, id: 3)
        let whole = scanned(text)
        #expect(whole.map(\.label?.sequence) == [1, 2, nil, 3])
        for cut in 0...text.count { #expect(scanned(text, cutAt: [cut]) == whole) }
        #expect(scanned(text, cutAt: Array(1..<text.count)) == whole)
        #expect(scanned(Array(text.dropLast())) == whole)
    }

    @Test func `of a text that breaks off, the rows before the break are found`() {
        let rows = [maker.good(1, id: 1), maker.bad(2, id: 2), maker.good(3, id: 3)]
        let text = rows.flatMap(\.self)
        var ends: [Int] = []
        for row in rows { ends.append((ends.last ?? 0) + row.count) }
        for cut in 0...text.count {
            let found = scanned(Array(text[..<cut]), isCutOff: true)
            #expect(found.count == ends.filter { $0 <= cut }.count)
        }
    }

    @Test func `rows without an id are told apart by all of their bytes`() {
        let rows = [
            "{\"a\":1,\"_hl\":\"\(wanted.text)\"}", "{\"a\":2,\"_hl\":\"\(wanted.text)\"}",
            "{\"a\":1,\"_hl\":\"\(wanted.text)\"}",
        ].map { scannedRow($0)! }
        #expect(rows[0] == rows[2])
        #expect(rows[0].id != rows[1].id)
    }

    @Test func `every digit of an id counts`() {
        let text = Array(idText(id).utf8)
        var folds: Set<UInt64> = [RowID.fold(uuid: text)]
        for at in text.indices where text[at] != UInt8(ascii: "-") {
            for digit in "0123456789abcdef".utf8 where digit != text[at] {
                var other = text
                other[at] = digit
                folds.insert(RowID.fold(uuid: other))
            }
        }
        #expect(folds.count == 1 + 32 * 15)
        #expect(RowID.fold(uuid: Array(idText(id).uppercased().utf8)) == RowID.fold(uuid: text))
    }

    @Test func `an endless line is passed over and told`() {
        var scanner = RowScanner()
        var rows: [ScannedRow] = []
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<6 { piece.withUnsafeBytes { scanner.feed($0) { rows.append($0) } } }
        let rest = Array("\n".utf8) + maker.good(1, id: 1)
        rest.withUnsafeBytes { scanner.feed($0) { rows.append($0) } }
        #expect(rows.map(\.label?.sequence) == [1])
        #expect(scanner.linesTooLong == 1)
    }

    @Test func `damaged rows of any kind do no harm`() {
        var dice = SeededDice(seed: 5)
        let texts = [
            maker.good(1, id: 1), maker.bad(2, id: 2), maker.opaqueRow("/p?_hl=x", id: 3),
            Array("{\"rawData\":\"eyJyYXdEYXRhIjoiIn0=\"}\n".utf8),
        ]
        for _ in 0..<20_000 {
            var text = texts[Int(dice.roll(4))]
            for _ in 0...dice.roll(4) {
                let at = Int(dice.roll(UInt64(text.count)))
                switch dice.roll(3) {
                case 0: text[at] = UInt8(truncatingIfNeeded: dice.next())
                case 1: text.removeSubrange(at...)
                default: text.insert(contentsOf: Array("_hl\":\"".utf8), at: at)
                }
                if text.isEmpty { break }
            }
            for row in scanned(text) {
                #expect(row.label.map { $0.sequence <= HitLabel.sequenceMax } ?? true)
            }
        }
    }

    @Test func `base64 is decoded as Foundation does`() {
        var dice = SeededDice(seed: 8)
        let decoder = Base64Decoder()
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            let text = Array(Data(bytes).base64EncodedString().utf8)
            var out = [UInt8](repeating: 0, count: count + 4)
            let got = out.withUnsafeMutableBufferPointer {
                decoder.decode(text, text.count, into: $0.baseAddress!)
            }
            #expect(Array(out.prefix(got)) == bytes)
        }
    }
}
