import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

@Suite struct StoreTests {
    let folder = TemporaryFolder()
    let counters = OwnCounters()

    @Test func `records become a GZIP object in S3's layout and rows of the table`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + row(2), to: "good")
        try store.append(row(3), to: "good")
        try store.append("{\"reason\":\"missing\"}\n", to: "bad")
        store.finishAll()

        let objects = folder.files(below: "s3/hydrant-local")
        #expect(objects.count == 2)
        let good = try #require(objects.first { $0.hasPrefix("good/") })
        let pattern =
            /good\/(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)\/good-1-\1-\2-\3-\4-\d\d-\d\d-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.gz/
        #expect(good.wholeMatch(of: pattern) != nil, "\(good)")
        let text = gunzip(folder.contents("s3/hydrant-local/" + good))
        #expect(text == Array((row(1) + row(2) + row(3)).utf8))

        #expect(
            try store.rows("SELECT id FROM events ORDER BY rowid").map { $0[0] }
                == [.text("1"), .text("2"), .text("3")])
        #expect(try store.rows("SELECT reason FROM bad_events") == [[.text("missing")]])
        #expect(counters.page.value(of: .localObjects) == 2)
        #expect(counters.page.value(of: .localRowsLoaded) == 4)
        #expect(folder.files(below: "local/streams/good") == ["stream.json"])
        #expect(store.backlogBytes == 0)
    }

    @Test func `a line that is no row is set down with its place and reason, and the rest load`()
        throws
    {
        let store = try makeStore(folder, counters: counters)
        let long = String(repeating: "x", count: 3000)
        try store.append(
            row(1) + "not json\n" + "[1]\n" + "\n" + "{\"id\":\"2\"}\n"
                + "{\"id\":\"3\",\"event\":\"e\",\"position\":\"three\"}\n" + long + "\n" + row(4),
            to: "good")
        store.finishAll()
        let errors = try store.rows(
            "SELECT line_number, column_name, reason, length(raw_line) FROM load_errors")
        #expect(errors.map { $0[0] } == [2, 3, 5, 6, 7].map { .integer($0) })
        #expect(errors[1][2] == .text("not a JSON object"))
        #expect(errors[2][1...2] == [.text("event"), .text("required, but missing")])
        #expect(errors[3][1...2] == [.text("position"), .text("not an integer")])
        #expect(errors[4][3] == .integer(1024))
        #expect(try store.rows("SELECT id FROM events").map { $0[0] } == [.text("1"), .text("4")])
        #expect(counters.page.value(of: .localRowsRejected) == 5)
        #expect(
            try store.rows("SELECT rows, rejected FROM _loaded_objects")
                == [[.integer(2), .integer(5)]])
    }

    @Test func `each kind of column takes what it can hold`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(
            #"{"id":7,"event":"é\n\u0000z","position":"12","value":3,"viewable":true,"#
                + #""extra":{"a":[1,2.5,"<"]},"unknown":1}"# + "\n"
                + #"{"event":"first","id":"8","event":"last","position":null,"viewable":"no"}"#
                + "\n",
            to: "good")
        store.finishAll()
        #expect(
            try store.rows("SELECT * FROM events") == [
                [
                    .text("7"), .text("é\n\0z"), .integer(12), .double(3), .integer(1),
                    .text(#"{"a":[1,2.5,"<"]}"#),
                ],
                [.text("8"), .text("last"), .null, .null, .integer(0), .null],
            ])
    }

    @Test func `duplicate ids are kept, as Redshift keeps them`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + row(1), to: "good")
        store.finishAll()
        #expect(try store.rows("SELECT count(*) FROM events") == [[.integer(2)]])
    }

    @Test func `a line over 4 MiB is rejected and the ones around it load`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1), to: "good")
        for _ in 0..<5 { try store.append(String(repeating: "x", count: 1_000_000), to: "good") }
        try store.append("\n" + row(2), to: "good")
        store.finishAll()
        #expect(try store.rows("SELECT id FROM events").map { $0[0] } == [.text("1"), .text("2")])
        #expect(
            try store.rows("SELECT line_number, reason FROM load_errors")
                == [[.integer(2), .text("longer than 4 MiB")]])
    }

    @Test func `a last line without its newline is a row`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + String(row(2).dropLast()), to: "good")
        store.finishAll()
        #expect(try store.rows("SELECT count(*) FROM events") == [[.integer(2)]])
    }

    @Test func `a schema that grew adds its column to the table`() throws {
        do {
            let store = try makeStore(folder, counters: counters)
            try store.append(row(1), to: "good")
            store.finishAll()
        }
        var grown = goodTable
        grown.columns.append(
            .init(name: "campaign", sqliteType: "TEXT", kind: .text, isRequired: true))
        let store = try StreamStore(
            options: .init(
                dataFolder: folder.path, sink: .warehouse, good: grown, bad: badTable),
            goodStreams: ["good"], badStreams: [], counters: counters.page, log: { _ in })
        try store.append(row(2), to: "good")
        try store.append("{\"id\":\"3\",\"event\":\"e\",\"campaign\":\"c\"}\n", to: "good")
        store.finishAll()
        #expect(
            try store.rows("SELECT id, campaign FROM events")
                == [[.text("1"), .null], [.text("3"), .text("c")]])
    }

    @Test func `buffers are sealed by age and by size`() throws {
        let store = try makeStore(folder, counters: counters, bufferBytesMax: 100)
        try store.append(row(1), to: "good", nowMs: 1000)
        store.sealDue(nowMs: 2999)
        #expect(!store.hasWork)
        store.sealDue(nowMs: 3000)
        #expect(store.hasWork)
        try store.append(String(repeating: "y", count: 100), to: "bad", nowMs: 3000)
        #expect(store.queuedJobs == 2)
    }

    @Test func `with sink objects nothing is loaded, with many buffers waiting calls must wait`()
        throws
    {
        let store = try makeStore(
            folder, sink: .objects, counters: counters, backlogBytesMax: 20)
        try store.append(row(1), to: "good")
        #expect(!store.isBacklogFull)
        store.sealAll()
        #expect(store.isBacklogFull)
        store.finishAll()
        #expect(!store.isBacklogFull)
        #expect(!Files.exists(folder.path + "/warehouse.db"))
        #expect(folder.files(below: "s3/hydrant-local").count == 1)
    }

    @Test func `a second store on the same folder is refused, naming the holder`() throws {
        let store = try makeStore(folder, counters: counters)
        withExtendedLifetime(store) {
            let failure = #expect(throws: StoreFailure.self) {
                try makeStore(folder, counters: counters)
            }
            #expect("\(failure!)".contains("is held by process \(getpid())"))
        }
    }

    @Test func `an object that is no gzip is one load error, and blocks nothing`() throws {
        let name = ObjectName(number: 1, unixSeconds: 1_700_000_000)
        let key = name.key(stream: "good", prefix: "good/", isGzip: true)
        do { _ = try makeStore(folder, counters: counters) }
        let path = folder.path + "/s3/hydrant-local/" + key
        try Files.makeFolders(String(path[..<path.lastIndex(of: "/")!]))
        try Files.replace(path, with: Array("not gzip".utf8))
        try Files.replace(
            folder.path + "/local/streams/good/" + name.bufferFile, with: [1, 2, 3])
        let store = try makeStore(folder, counters: counters)
        store.finishAll()
        #expect(store.trouble == nil)
        #expect(
            try store.rows("SELECT count(*) FROM load_errors WHERE reason LIKE 'not gzip%'")
                == [[.integer(1)]])
        #expect(folder.files(below: "local/streams/good") == ["stream.json"])
    }

    @Test func `while another writer holds the warehouse, loading waits and then goes on`() throws {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1), to: "good")
        store.sealAll()
        let other = try Database(path: folder.path + "/warehouse.db", access: .readWrite)
        try other.run("BEGIN IMMEDIATE")
        while store.step(untilNanoseconds: 0), store.hasWork {}
        #expect(store.trouble?.contains("locked") == true)
        #expect(store.hasWork)
        try other.run("COMMIT")
        store.finishAll()
        #expect(store.trouble == nil)
        #expect(try store.rows("SELECT count(*) FROM events") == [[.integer(1)]])
    }

    @Test func `names of buffer files round-trip, and other files are no buffers`() {
        let name = ObjectName(number: 7, unixSeconds: 1_767_323_045)
        #expect(name.bufferFile.hasPrefix("buffer-0000000007-2026-01-02-03-04-05-"))
        #expect(ObjectName(bufferFile: name.bufferFile) == name)
        #expect(
            name.key(stream: "px-w0", prefix: "hits/", isGzip: true)
                == "hits/2026/01/02/03/px-w0-1-2026-01-02-03-04-05-\(name.uuid).gz")
        for other in ["stream.json", "buffer-1", "buffer-x" + name.bufferFile.dropFirst(8)] {
            #expect(ObjectName(bufferFile: other) == nil)
        }
    }
}
