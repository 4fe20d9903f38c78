import Core
import Testing

@Suite struct ControlMessageLayoutTests {
    private static let golden: [UInt8] = [
        1, 16, 0x0b, 0x0a, 0, 0, 0, 0,  // version, kind, slot, zero
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // incarnation
        8, 7, 6, 5, 4, 3, 2, 1,  // number
    ]
    private static let message = ControlMessage(
        .link, slot: 0x0a0b, incarnation: 0x1122_3344_5566_7788, number: 0x0102_0304_0506_0708)

    private func read(_ bytes: some Collection<UInt8>) -> ControlMessage? {
        GuardedBytes(capacity: bytes.count).holding(bytes) { ControlMessage.read($0) }
    }

    @Test func `a message is these bytes, whatever lay there before`() {
        for filler: UInt8 in [0, 0xff] {
            var bytes = [UInt8](repeating: filler, count: ControlMessage.byteCount)
            bytes.withUnsafeMutableBytes { Self.message.write(to: $0.baseAddress!) }
            #expect(bytes == Self.golden)
        }
        #expect(read(Self.golden) == Self.message)
    }

    @Test(
        arguments: [
            (.ready, 1), (.drainMe, 2), (.flushed, 3), (.drained, 4), (.linkBroken, 5), (.link, 16),
            (.drain, 17), (.stop, 18), (.flush, 19), (.quit, 20), (.replace, 21), (.listen, 22),
            (.flushNow, 23),
        ] as [(ControlMessage.Kind, UInt8)])
    func `each kind has its number for ever`(_ kind: ControlMessage.Kind, _ number: UInt8) {
        #expect(kind.rawValue == number)
        var bytes = Self.golden
        bytes[1] = number
        #expect(read(bytes)?.kind == kind)
    }

    @Test func `anything but 24 bytes of this version and a known kind is none`() {
        for cut in 0..<Self.golden.count { #expect(read(Self.golden[..<cut]) == nil) }
        #expect(read(Self.golden + [0]) == nil)
        let known: Set<UInt8> = [1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21, 22, 23]
        for byte in UInt8(0)...255 {
            var bytes = Self.golden
            bytes[1] = byte
            #expect((read(bytes) != nil) == known.contains(byte))
            bytes = Self.golden
            bytes[0] = byte
            #expect((read(bytes) != nil) == (byte == ControlMessage.version))
        }
    }
}

@Suite struct InheritanceWordsTests {
    @Test func `a child's words begin with its role and say all it needs`() {
        let inheritance = Inheritance(
            role: .localFirehose, slot: 3, incarnation: .max, counterOffset: 8192, socketCount: 1,
            settingsFile: "/a b/settings")
        #expect(
            inheritance.arguments == [
                "local-firehose", "--slot", "3", "--incarnation", "18446744073709551615",
                "--counter-offset", "8192", "--sockets", "1", "--settings", "/a b/settings",
            ])
    }

    @Test func `descriptors sit at fixed numbers`() {
        #expect(Inheritance.control == 3)
        #expect(Inheritance.counters == 4)
        #expect(Inheritance.firstSocket == 5)
    }
}
