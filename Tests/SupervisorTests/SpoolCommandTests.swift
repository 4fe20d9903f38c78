import Core
import Testing

@testable import Supervisor

@Suite struct SpoolCommandTests {
    private func warning(used: UInt64, free: UInt64, workers: Int = 2) -> String? {
        var settings = Settings()
        settings.workers = workers
        settings.spoolBytesMax = 10 << 30
        settings.spoolBadBytesMax = 1 << 30
        return SpoolSpace.warning(
            settings, usedBytes: used, freeBytes: free, folder: "/srv"
        )?.render(kind: .warning, color: false)
    }

    @Test func `caps that do not fit the file system are told with numbers and a remedy`() throws {
        #expect(warning(used: 0, free: 22 << 30) == nil)
        #expect(warning(used: 20 << 30, free: 2 << 30) == nil, "what it has counts")
        let text = try #require(warning(used: 1 << 30, free: 5 << 30))
        #expect(text.contains("2 workers may grow to 22,528 MiB, and /srv has 6,144 MiB for it"))
        #expect(text.contains("(5,120 free, 1,024 in use by it)"))
        #expect(text.contains("spool.bad_max_bytes together be 3,072 MiB or less"))
    }

    @Test func `where hardly anything fits, the remedy is room`() throws {
        let text = try #require(warning(used: 0, free: 1 << 20))
        #expect(text.contains("make room, or set spool.dir to a larger file system"))
        #expect(!text.contains("0 MiB or less"))
    }

    @Test func `caps beyond any number do not overflow`() {
        var settings = Settings()
        settings.spoolBytesMax = .max
        let warning = SpoolSpace.warning(settings, usedBytes: 0, freeBytes: 1, folder: "/")
        #expect(warning != nil)
    }

    @Test(arguments: [
        ("7", SpoolPosition(segment: 7, offset: 0)),
        ("7:4096", SpoolPosition(segment: 7, offset: 4096)),
        ("", nil), ("7:", nil), (":1", nil), ("x", nil), ("1:2:3", nil), ("-1", nil),
    ])
    func `a place is a segment, or a segment and an offset`(text: String, place: SpoolPosition?) {
        #expect(SpoolPlaceArgument(argument: text)?.position == place)
    }

    @Test(
        arguments: [
            ([], ""), ([4], "4"), ([3, 4], "3, 4"),
            ([1, 2, 3, 7, 9, 10, 11], "1 to 3, 7, 9 to 11"),
        ] as [([UInt64], String)])
    func `segments are told in runs`(numbers: [UInt64], words: String) {
        #expect(SpoolPlaceArgument.words(numbers) == words)
        let many = SpoolPlaceArgument.words((1...100).map { 2 * $0 })
        #expect(many.hasPrefix("2, 4, ") && many.hasSuffix("38, 40, …"))
    }

    @Test func `progress shows how far, how fast and how long`() {
        func text(_ read: UInt64, hasBar: Bool) -> String {
            SpoolProgress.text(
                "verifying", bytesRead: read, bytesTotal: 400 << 20, elapsedNs: 2_000_000_000,
                hasBar: hasBar)
        }
        #expect(
            text(100 << 20, hasBar: false) == "verifying: 25 %, 100 of 400 MiB, 52 MB/s, 6 s left")
        #expect(
            text(100 << 20, hasBar: true)
                == "verifying ██████░░░░░░░░░░░░░░░░░░ 25 %, 100 of 400 MiB, 52 MB/s, 6 s left")
        #expect(
            text(400 << 20, hasBar: true).contains("████████████████████████ 100 %, 400 of 400"))
        // A lane that grew meanwhile is never beyond its end; an empty one is done.
        #expect(text(500 << 20, hasBar: false).contains("100 %, 400 of 400"))
        #expect(
            SpoolProgress.text("x", bytesRead: 0, bytesTotal: 0, elapsedNs: 0, hasBar: true)
                .contains("100 %"))
    }
}
