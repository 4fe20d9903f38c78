import Core
import Platform

/// A segment on disk that is no longer appended to.
struct SegmentFile: Equatable {
    var number: UInt64
    /// Records lie below this; what is above was cut short.
    var byteCount: UInt64
}

/// Names in a lane's folder, and how to find room among files that are not ours.
struct LaneFolder {
    let path: String
    let files: Files

    init(path: String, files: Files = Files()) {
        self.path = path
        self.files = files
    }

    var cursor: String { path + "/cursor" }

    func segment(_ number: UInt64) -> String { "\(path)/\(Self.name(of: number))" }

    private static let digits = 16
    private static let suffix = ".segment"

    /// The number as it stands in names.
    static func digits(of segment: UInt64) -> String {
        String(name(of: segment).prefix(digits))
    }

    static func name(of segment: UInt64) -> String {
        let suffix = suffix.utf8
        return String(unsafeUninitializedCapacity: digits + suffix.count) { room in
            var rest = segment
            for at in stride(from: digits - 1, through: 0, by: -1) {
                room[at] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            for (at, byte) in suffix.enumerated() { room[digits + at] = byte }
            return digits + suffix.count
        }
    }

    /// The number in a segment's name, from 1 on; nil for any other name.
    static func number(ofName name: String) -> UInt64? {
        guard name.utf8.count == digits + suffix.utf8.count, name.hasSuffix(suffix),
            name.utf8.prefix(digits).allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            })
        else { return nil }
        return UInt64(name.prefix(digits)).flatMap { $0 > 0 ? $0 : nil }
    }

    /// A segment's head, if the file can be read and begins with one. The caller closes the file.
    enum Head: ~Copyable {
        case whole(SegmentHead, OriginTable)
        /// Of another lane, shard, number or version: not this segment, though perhaps valuable.
        case foreign
        case damaged
    }

    func readHead(
        _ file: Int32, number: UInt64, lane: SpoolLaneName, shard: UInt16
    ) -> Head {
        withUnsafeTemporaryAllocation(byteCount: SegmentHead.byteCount, alignment: 64) {
            bytes -> Head in
            let base = bytes.baseAddress!
            let got = try? files.read(file, into: base, count: SegmentHead.byteCount, at: 0)
            guard got == SegmentHead.byteCount else { return .damaged }
            do throws(SegmentHead.Flaw) {
                let head = try SegmentHead.read(base)
                guard head.lane == lane, head.shard == shard, head.segment == number else {
                    return .foreign
                }
                return .whole(head, SegmentHead.readOrigins(base))
            } catch {
                if case .version = error { return .foreign }
                return .damaged
            }
        }
    }

    /// When the first record at or after `position` was received. Looks at headers only; nil when
    /// none is where it should be.
    func receivedAt(from position: SpoolPosition, in segments: [SegmentFile]) -> UInt64? {
        let headBytes = UInt64(SegmentHead.byteCount)
        let recordBytes = SpoolRecordHeader.byteCount
        for segment in segments where segment.number >= position.segment {
            let offset =
                segment.number == position.segment ? max(position.offset, headBytes) : headBytes
            guard offset + UInt64(recordBytes) <= segment.byteCount,
                let file = try? files.open(self.segment(segment.number))
            else { continue }
            defer { files.close(file) }
            return withUnsafeTemporaryAllocation(byteCount: recordBytes, alignment: 8) { bytes in
                let base = bytes.baseAddress!
                let got = try? files.read(file, into: base, count: recordBytes, at: offset)
                guard got == recordBytes else { return nil }
                return SpoolRecordHeader.read(base)?.receivedAtMicroseconds
            }
        }
        return nil
    }
}

/// A file or folder that was in the way of one of ours, or is not this lane's. It is kept, under
/// another name.
public struct MovedAside: Equatable, Sendable {
    public var path: String
    public var newPath: String
}

extension Files {
    /// Renames what stands in the way of a file of ours, so that it is out of the way and kept. Who
    /// calls this tells somebody.
    func setAside(_ path: String) throws(Failure) -> MovedAside {
        let moved = MovedAside(path: path, newPath: "\(path).foreign-\(realtimeMicroseconds())")
        try rename(path, to: moved.newPath)
        return moved
    }

    /// Opens our file; when a folder, a link or something unreadable has its name, that is renamed.
    func openOurs(_ path: String, noting moved: inout [MovedAside]) throws(Failure) -> Int32 {
        do throws(Failure) {
            return try openOrCreate(path)
        } catch {
            guard error.isObstacle else { throw error }
            moved.append(try setAside(path))
            return try openOrCreate(path)
        }
    }

    /// Makes our folder; when something else has its name, that is renamed.
    func makeOurFolder(_ path: String, noting moved: inout [MovedAside]) throws(Failure) {
        do throws(Failure) {
            try makeFolder(path)
        } catch {
            guard error.exists else { throw error }
            moved.append(try setAside(path))
            try makeFolder(path)
        }
    }
}

/// Names on disk, for those who only tell of them.
public enum SpoolNames {
    /// A segment's file in its lane's folder.
    public static func segment(_ number: UInt64) -> String { LaneFolder.name(of: number) }
}
