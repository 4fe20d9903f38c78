import TOMLKit
import TestSupport
import Testing

@testable import Config

@Suite struct KeyLocatorTests {
    static let text = """
        # é comment = 1
        top = 1
          "quoted key" = 'a # b'
        a.b . "c.d" = { x = 1, y = [1, 2], "z" = { w = 2 } }
        [sec] # ]
        multi = \"\"\"
        fake = 1
        [fake]
        \\\"\"\" \"\"\"\"\"
        lit = '''
        fake2 = '\\' ''' # x
        list = [ # first
          "one", # two = 2
          [ 'in', "ne]r" ],
          { k = "v" },
        ]
        [sec . "deep.er"]
        last = 1979-05-27T07:32:00Z
        [[arr]]
        x = 1
        [[arr]]
        x = 2
        """

    private func at(_ path: String..., in text: String = text) -> [String]? {
        let bytes = Array(text.utf8)
        guard let place = KeyLocator(bytes).places[path] else { return nil }
        func word(_ offset: Int) -> String {
            String(decoding: bytes[offset...].prefix { $0 != 10 && $0 != 32 }, as: UTF8.self)
        }
        return [word(place.key)] + (place.value.map { [word($0)] } ?? [])
    }

    @Test func `keys of every notation are found with their values`() {
        #expect(at("top") == ["top", "1"])
        #expect(at("quoted key") == ["\"quoted", "'a"])
        #expect(at("a") == ["a.b"])
        #expect(at("a", "b") == ["b"])
        #expect(at("a", "b", "c.d") == ["\"c.d\"", "{"])
        #expect(at("a", "b", "c.d", "y") == ["y", "[1,"])
        #expect(at("a", "b", "c.d", "z", "w") == ["w", "2"])
        #expect(at("sec", "multi") == ["multi", "\"\"\""])
        #expect(at("sec", "lit") == ["lit", "'''"])
        #expect(at("sec", "list", "[0]") == ["\"one\",", "\"one\","])
        #expect(at("sec", "list", "[1]") == ["[", "["])
        #expect(at("sec", "list", "[1]", "[1]") == nil)
        #expect(at("sec", "list", "[2]", "k") == ["k", "\"v\""])
        #expect(at("sec", "deep.er", "last") == ["last", "1979-05-27T07:32:00Z"])
        #expect(at("arr", "x") == ["x", "1"])
    }

    @Test func `what stands in strings and comments is no key`() {
        let places = KeyLocator(Array(Self.text.utf8)).places
        #expect(places.keys.allSatisfy { !$0.contains { $0.contains("fake") } })
        #expect(places[["comment"]] == nil)
        #expect(places[["sec", "two"]] == nil)
    }

    @Test func `the library agrees that the text is TOML, and on its keys`() throws {
        let table = try TOMLTable(string: Self.text)
        let places = KeyLocator(Array(Self.text.utf8)).places
        var seen = 0
        func visit(_ table: TOMLTable, _ path: [String]) {
            for key in table.keys {
                #expect(places[path + [key]] != nil, "\(path + [key])")
                seen += 1
                if let inner = table[key]?.table { visit(inner, path + [key]) }
            }
        }
        visit(table, [])
        #expect(seen == 16)
    }

    @Test func `escapes in keys are read, and NUL escapes remembered`() {
        let text = #""a\tb\u00e9\U0001F600\"" = "x\u0000y""#
        let locator = KeyLocator(Array(text.utf8))
        #expect(locator.places[["a\tbé😀\""]] != nil)
        #expect(locator.nulEscapes == [Array(text.utf8).count - 8])
    }

    @Test func `cut at any byte it still ends`() {
        let bytes = Array(Self.text.utf8)
        for end in 0...bytes.count {
            _ = KeyLocator(Array(bytes[..<end]))
        }
    }

    @Test func `random bytes of TOML's own characters end it too`() {
        var random = SeededDice(seed: 20_261_123)
        let alphabet = Array("[]{}\"'=.,# \n\\ua0\t-".utf8)
        for _ in 0..<3000 {
            let count = Int(random.next() % 60)
            let bytes = (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            _ = KeyLocator(bytes)
        }
        _ = KeyLocator([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20))
        _ = KeyLocator(Array("a=".utf8) + [UInt8](repeating: UInt8(ascii: "["), count: 1 << 16))
        _ = KeyLocator(Array(String(repeating: "a.", count: 1 << 15).utf8))
    }
}
