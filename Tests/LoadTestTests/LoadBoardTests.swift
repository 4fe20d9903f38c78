import Testing

@testable import LoadTest

/// Memory that other processes lay out and read.
@Suite struct LoadBoardTests {
    private func withBoard(threads: Int, _ body: (LoadBoard, UnsafeMutableRawPointer, Int) -> Void)
    {
        let byteCount = LoadBoard.byteCount(threads: threads)
        let room = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
        room.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        defer { room.deallocate() }
        body(LoadBoard(creatingAt: room, threads: threads), room, byteCount)
    }

    @Test func `the header is as its picture says`() {
        withBoard(threads: 3) { board, room, byteCount in
            board.startNanoseconds = 0x1122_3344_5566_7788
            board.mustStop = true
            let bytes = UnsafeRawBufferPointer(start: room, count: 80)
            #expect(Array(bytes[0..<8]) == Array("HYDRHL01".utf8))
            #expect(Array(bytes[8..<16]) == [3, 0, 0, 0, 0, 0, 0, 0])
            #expect(
                Array(bytes[64..<80]) == [
                    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 1, 0, 0, 0, 0, 0, 0, 0,
                ])
            #expect(byteCount % 4096 == 0)
        }
    }

    @Test func `what one process counts another reads, thread by thread`() {
        withBoard(threads: 2) { board, room, byteCount in
            board.section(0).add(5, to: .sent)
            board.section(1).add(7, to: .sent)
            board.section(1).set(.backlog, to: 9)
            board.section(1).count(status: 200)
            board.section(1).count(status: 12_345)
            board.section(1).record(.service, nanoseconds: 1_500_000)
            let other = LoadBoard(openingAt: room, byteCount: byteCount)!
            #expect(other.threads == 2 && other.total(.sent) == 12 && other.total(.backlog) == 9)
            #expect(other.statuses == ["200": 1, "599": 1])
            #expect(other.cells(.service).cells == [LatencyScale.cell(ofMicroseconds: 1500)])
            #expect(other.cells(.response).cells.isEmpty)
            #expect(other.section(0).value(.backlog) == 0)
        }
    }

    @Test func `memory that is no board, or is cut short, is refused`() {
        withBoard(threads: 2) { _, room, byteCount in
            #expect(LoadBoard(openingAt: room, byteCount: byteCount - 1) == nil)
            #expect(LoadBoard(openingAt: room, byteCount: 4095) == nil)
            room.storeBytes(of: 1 << 40, toByteOffset: 8, as: UInt64.self)
            #expect(LoadBoard(openingAt: room, byteCount: byteCount) == nil)
            room.storeBytes(of: 0, as: UInt64.self)
            #expect(LoadBoard(openingAt: room, byteCount: byteCount) == nil)
        }
    }
}
