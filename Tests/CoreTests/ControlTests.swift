import Testing

@testable import Core

@Suite struct ControlInheritanceTests {
    static let whole = Inheritance(
        role: .worker, slot: 3, incarnation: .max, counterOffset: 8192, socketCount: 0,
        settingsFile: "/a b/settings.toml")

    @Test func `a child reads what its parent wrote`() throws {
        for role in Inheritance.Role.allCases {
            var one = Self.whole
            one.role = role
            #expect(try Inheritance(arguments: one.arguments) == one)
        }
    }

    @Test(arguments: 0..<whole.arguments.count)
    func `words that are cut short are refused`(count: Int) {
        #expect(throws: Inheritance.Flaw.self) {
            try Inheritance(arguments: Array(Self.whole.arguments.prefix(count)))
        }
    }

    @Test(arguments: [
        ("--slot", "-1"), ("--slot", "256"), ("--slot", "x"), ("--incarnation", "0"),
        ("--incarnation", "18446744073709551616"), ("--counter-offset", "0"),
        ("--counter-offset", "100"), ("--counter-offset", "-4096"), ("--sockets", "65"),
    ])
    func `a value out of range is refused by name`(name: String, value: String) {
        var words = Self.whole.arguments
        words[words.firstIndex(of: name)! + 1] = value
        #expect(throws: Inheritance.Flaw.value(name)) { try Inheritance(arguments: words) }
    }

    @Test func `unknown and repeated options are refused`() {
        let words = Self.whole.arguments
        #expect(throws: Inheritance.Flaw.unknown("--nice")) {
            try Inheritance(arguments: words + ["--nice", "1"])
        }
        #expect(throws: Inheritance.Flaw.unknown("--slot")) {
            try Inheritance(arguments: words + ["--slot", "3"])
        }
        #expect(throws: Inheritance.Flaw.role("load")) {
            try Inheritance(arguments: ["load"] + words.dropFirst())
        }
    }
}

@Suite struct ControlMessageTests {
    static let message = ControlMessage(
        .link, slot: 0x0102, incarnation: 0x1122_3344_5566_7788, number: 5)
    static let golden: [UInt8] = [
        1, 16, 2, 1, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
        5, 0, 0, 0, 0, 0, 0, 0,
    ]

    @Test func `a message has these bytes`() {
        var bytes = [UInt8](repeating: 0xFF, count: ControlMessage.byteCount)
        bytes.withUnsafeMutableBytes { Self.message.write(to: $0.baseAddress!) }
        #expect(bytes == Self.golden)
        #expect(bytes.withUnsafeBytes { ControlMessage.read($0) } == Self.message)
    }

    @Test(arguments: 0..<golden.count) func `a cut message is none`(count: Int) {
        #expect(Self.golden.prefix(count).withUnsafeBytes { ControlMessage.read($0) } == nil)
    }

    @Test func `a longer message, another version or an unknown kind is none`() {
        for (offset, byte) in [(0, UInt8(2)), (1, 0), (1, 99)] {
            var bytes = Self.golden
            bytes[offset] = byte
            #expect(bytes.withUnsafeBytes { ControlMessage.read($0) } == nil)
        }
        #expect((Self.golden + [0]).withUnsafeBytes { ControlMessage.read($0) } == nil)
    }
}
