import Foundation
import TestSupport
import Testing

@testable import LoadTest

@Suite struct LedgerFileTests {
    @Test func `a label is read as it is written, whatever its numbers`() {
        var dice = SeededDice(seed: 31)
        for _ in 0..<1000 {
            let label = HitLabel(
                run: UInt32(truncatingIfNeeded: dice.next()),
                sequence: dice.next() & HitLabel.sequenceMax)
            let text = Array(label.text.utf8)
            #expect(HitLabel.read(text) == label)
            #expect(HitLabel.read(Array(label.text.uppercased().utf8)) == label)
            for at in text.indices {
                for wrong in [UInt8(ascii: "g"), UInt8(ascii: "/"), UInt8(ascii: ":"), 0, 0xFF] {
                    var bytes = text
                    bytes[at] = wrong
                    #expect(HitLabel.read(bytes) == nil)
                }
            }
        }
    }

    @Test func `an entry's bytes are these`() {
        let entry = LedgerEntry(
            sequence: 0x12_3456_789A, sentTenthMilliseconds: 0xDEAD_BEEF, outcome: 200)
        #expect(hex(bytes(of: entry)) == "9a78563412000000efbeaddec8008106")
    }

    @Test func `a header's bytes are these`() {
        var bytes = [UInt8](repeating: 0xFF, count: LedgerHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        #expect(
            hex(bytes) == "4859445248"
                + "4c4c00" + "01000000" + "0d0c0b0a" + "0807060504030201" + "1817161514131211"
                + "302e312e302d726331" + String(repeating: "00", count: 19) + "3ed1f097")
    }

    @Test func `every bit of an entry is watched`() {
        let entry = LedgerEntry(sequence: 77, sentTenthMilliseconds: 1234, outcome: 400)
        for bit in 0..<(8 * LedgerEntry.byteCount) {
            var bytes = bytes(of: entry)
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(bytes.withUnsafeBytes { LedgerEntry.read($0.baseAddress!) } == nil)
        }
        let zeros = [UInt8](repeating: 0, count: LedgerEntry.byteCount)
        #expect(zeros.withUnsafeBytes { LedgerEntry.read($0.baseAddress!) } == nil)
    }

    @Test func `every bit of a header is watched`() throws {
        var whole = [UInt8](repeating: 0, count: LedgerHeader.byteCount)
        whole.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        #expect(try whole.withUnsafeBytes { try LedgerHeader.read($0.baseAddress!) } == header)
        for bit in 0..<(8 * LedgerHeader.byteCount) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: LedgerHeader.Flaw.self) {
                try bytes.withUnsafeBytes { try LedgerHeader.read($0.baseAddress!) }
            }
        }
    }

    @Test func `an existing file is refused, and left as it is`() throws {
        let scratch = LedgerScratch()
        scratch.write([1, 2, 3], "run.ledger")
        let failure = #expect(throws: LedgerFailure.self) { try scratch.writeLedger([]) }
        #expect(failure?.message.contains("exists") == true)
        #expect(failure?.hint.contains("name another file") == true)
        #expect(scratch.bytes("run.ledger") == [1, 2, 3])
    }

    @Test func `writers of one file do not disturb each other`() throws {
        let scratch = LedgerScratch()
        try scratch.writeLedger([])
        let path = scratch.path + "/run.ledger"
        let threads = 4
        let each: UInt64 = 20_000
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            var writer = try! LedgerWriter(path: path)
            for at in 0..<each { writer.append(entry(at * UInt64(threads) + UInt64(thread), 200)) }
            writer.flush()
        }
        let (entries, reader) = try read(scratch)
        #expect(reader.damaged == 0)
        #expect(entries.map(\.sequence).sorted() == Array(0..<(each * UInt64(threads))))
    }

    @Test func `a full disk stops a writer, and it says so`() {
        var writer = LedgerWriter(takingOver: open("/dev/full", O_WRONLY))
        let block = UInt64(LedgerWriter.bufferBytes / LedgerEntry.byteCount)
        for sequence in 0..<(block - 1) { writer.append(entry(sequence, 200)) }
        #expect(writer.failedErrno == 0)
        writer.append(entry(block, 200))
        #expect(writer.failedErrno == ENOSPC)
        for sequence in 0..<(3 * block) { writer.append(entry(sequence, 200)) }
        writer.flush()
        #expect(writer.failedErrno == ENOSPC)
    }

    @Test func `cut at every byte, what is whole is read and the rest is told`() throws {
        let scratch = LedgerScratch()
        let entries = (0..<5).map { entry($0, 200) }
        try scratch.writeLedger(entries)
        let whole = scratch.bytes("run.ledger")
        for cut in 0...whole.count {
            scratch.write(Array(whole[..<cut]), "run.ledger")
            guard cut >= LedgerHeader.byteCount else {
                let failure = #expect(throws: LedgerFailure.self) { try read(scratch) }
                #expect(failure?.message.contains("not a ledger") == true)
                continue
            }
            let (found, reader) = try read(scratch)
            let rest = cut - LedgerHeader.byteCount
            #expect(found == Array(entries.prefix(rest / LedgerEntry.byteCount)))
            #expect(reader.torn == UInt64(rest % LedgerEntry.byteCount))
            #expect(reader.damaged == 0)
        }
    }

    @Test func `blocks out of step and damage cost what they cover`() throws {
        let scratch = LedgerScratch()
        try scratch.writeLedger((0..<100).map { entry($0, 200) })
        var bytes = scratch.bytes("run.ledger")
        // An entry with a flipped bit, 7 bytes of another's block cut short, a hole of zeros.
        bytes[64 + 16 * 10] ^= 1
        bytes.insert(contentsOf: [9, 9, 9, 9, 9, 9, 9], at: 64 + 16 * 50)
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: 4096), at: 64 + 16 * 20)
        scratch.write(bytes, "run.ledger")
        let (found, reader) = try read(scratch)
        #expect(found.map(\.sequence) == (0..<100).filter { $0 != 10 })
        #expect(reader.damaged == 16 + 7 + 4096)
        #expect(reader.torn == 0)
    }

    @Test func `damage across the reader's blocks is found too`() throws {
        let scratch = LedgerScratch()
        let count: UInt64 = 150_000
        try scratch.writeLedger((0..<count).map { entry($0, 200) })
        var bytes = scratch.bytes("run.ledger")
        // The reader takes 1 MiB at a time.
        bytes.insert(contentsOf: [7, 7, 7], at: 64 + (1 << 20) - 1)
        scratch.write(bytes, "run.ledger")
        let (found, reader) = try read(scratch)
        // The entry that was cut in two is gone.
        #expect(found.count == Int(count) - 1)
        #expect(reader.damaged == 19)
    }

    @Test func `what is no ledger is named, with what to do`() throws {
        let scratch = LedgerScratch()
        scratch.write(Array("{\"id\":1}\n".utf8) + [UInt8](repeating: 10, count: 100), "other")
        let failure = #expect(throws: LedgerFailure.self) {
            try scratch.report(["other"], against: ["other"])
        }
        #expect(failure?.message.contains("not a ledger") == true)
        let absent = #expect(throws: LedgerFailure.self) {
            try scratch.report(["absent"], against: ["other"])
        }
        #expect(absent?.message.contains("No such file") == true)
    }

    private let header = LedgerHeader(
        run: 0x0a0b_0c0d, startMicroseconds: 0x0102_0304_0506_0708, seed: 0x1112_1314_1516_1718,
        hydrantVersion: "0.1.0-rc1")

    private func bytes(of entry: LedgerEntry) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: LedgerEntry.byteCount)
        bytes.withUnsafeMutableBytes { entry.write(to: $0.baseAddress!) }
        return bytes
    }

    private func read(
        _ scratch: LedgerScratch
    ) throws -> (entries: [LedgerEntry], (damaged: UInt64, torn: UInt64)) {
        let path = scratch.path + "/run.ledger"
        _ = try LedgerFile.readHeader(path: path)
        var reader = LedgerReader()
        var entries: [LedgerEntry] = []
        try reader.read(path: path) { _ in
        } take: {
            entries.append($0)
        }
        return (entries, (reader.damagedBytes, reader.tornBytes))
    }
}
