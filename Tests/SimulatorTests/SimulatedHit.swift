import Config
import Core

/// A hit of the simulation: everything about it follows from its number.
struct SimulatedHit {
    let number: UInt64

    /// One of eleven lacks what the schema asks for.
    var isGood: Bool { number % 11 != 0 }

    private var target: [UInt8] {
        if !isGood { return Array("/p.gif?uid=u\(number % 97)&broken=\(number)".utf8) }
        var target = Array("/p.gif?event=load&uid=u\(number % 97)&n=\(number)".utf8)
        let filling = Int(number &* 2_654_435_761 % 300)
        target.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: filling))
        return target
    }

    /// What stands in the frame.
    var bytes: [UInt8] {
        target.withUnsafeBytes { target -> [UInt8] in
            let count = HitLayout.byteCount(
                target: target.count, userAgent: 0, referer: 0, visitorCookie: 0)
            return [UInt8](unsafeUninitializedCapacity: count) { room, filled in
                let address = [UInt8](repeating: 7, count: 16)
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                filled = HitLayout.write(
                    to: room.baseAddress!, route: HitLayout.Route.pixel, flags: 0,
                    receivedAtMicroseconds: 1_700_000_000_000_000 + number, address: address,
                    requestTarget: target, userAgent: none, referer: none,
                    visitorCookie: none)
                let id = UnsafeMutableRawPointer(room.baseAddress!) + 8
                id.storeBytes(of: number.bigEndian, as: UInt64.self)
                id.storeBytes(of: UInt64(0xABAD_1DEA), toByteOffset: 8, as: UInt64.self)
            }
        }
    }

    /// The row it becomes, and in which lane.
    func row(_ encoder: UnsafeMutablePointer<RowEncoder>) -> (isGood: Bool, bytes: [UInt8]) {
        let hit = bytes
        return hit.withUnsafeBytes { hit in
            let room = UnsafeMutablePointer<UInt8>.allocate(capacity: RowEncoder.rowBytesMax)
            defer { room.deallocate() }
            let result = encoder.pointee.encode(HitView(hit)!, into: room)
            return (
                result.kind == .good,
                Array(UnsafeBufferPointer(start: room, count: result.byteCount))
            )
        }
    }

    /// The bad row it becomes when it must not be decoded.
    func opaqueRow(_ encoder: UnsafeMutablePointer<RowEncoder>) -> [UInt8] {
        bytes.withUnsafeBytes { hit in
            let room = UnsafeMutablePointer<UInt8>.allocate(capacity: RowEncoder.rowBytesMax)
            defer { room.deallocate() }
            let result = encoder.pointee.encodeOpaque(hit, into: room)
            return Array(UnsafeBufferPointer(start: room, count: result.byteCount))
        }
    }

    static func isOpaque(row: some Collection<UInt8>) -> Bool {
        has(reason: "crashed_worker", row)
    }

    static func isMoved(row: some Collection<UInt8>) -> Bool {
        has(reason: "refused_by_firehose", row)
    }

    private static func has(reason: String, _ row: some Collection<UInt8>) -> Bool {
        // Behind id and time, which are as long in every row.
        row.dropFirst(88).starts(with: Array("\"reason\":\"\(reason)".utf8))
    }

    /// The numbers of the hits in a frame.
    static func numbers(in frame: UnsafeRawBufferPointer) -> [UInt64] {
        var numbers: [UInt64] = []
        var at = FrameHeader.byteCount
        while let hit = HitView(UnsafeRawBufferPointer(rebasing: frame[at...])) {
            numbers.append(
                UInt64(bigEndian: frame.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)))
            at += hit.byteCount
            if at >= frame.count { break }
        }
        return numbers
    }

    /// The number in a row's id; nil for a row that no hit of ours became.
    static func number(ofRow row: some Collection<UInt8>) -> UInt64? {
        let start = Array("{\"id\":\"".utf8)
        guard row.count > start.count + 36, row.starts(with: start) else { return nil }
        let text = row.dropFirst(start.count).prefix(18).filter { $0 != UInt8(ascii: "-") }
        return UInt64(String(decoding: text, as: UTF8.self), radix: 16)
    }
}
