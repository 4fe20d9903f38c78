import Core
import Glibc
import Platform

/// From a frame to rows in the spool, and the ack that lets the router answer.
extension Working {
    /// False when the frame contradicts itself: nothing of it is stored, and its link is to be cut.
    func take(
        _ header: FrameHeader, _ frame: UnsafeRawBufferPointer,
        from link: UnsafeMutablePointer<RouterLink>
    ) -> Bool {
        state.pointee.counters.add(to: .framesRead)
        let verdicts = state.pointee.ack + FrameHeader.byteCount
        guard encode(header, frame, verdicts) else { return false }
        let storedGood = store(
            &state.pointee.spool.pointee.good, &state.pointee.goodRows, header,
            state.pointee.counters)
        let storedBad = store(
            &state.pointee.spool.pointee.bad, &state.pointee.badRows, header, state.pointee.counters
        )
        if !storedGood { refuse(.good, Int(header.hitCount), verdicts) }
        if !storedBad { refuse(.bad, Int(header.hitCount), verdicts) }
        acknowledge(header, to: link)
        noteAppended()
        return true
    }

    /// Rows of every hit into the two batches, verdicts beside.
    private func encode(
        _ header: FrameHeader, _ frame: UnsafeRawBufferPointer, _ verdicts: UnsafeMutableRawPointer
    ) -> Bool {
        state.pointee.goodRows.clear()
        state.pointee.badRows.clear()
        if header.kind == .opaque {
            encodeOpaque(header, frame, verdicts)
            return true
        }
        var at = FrameHeader.byteCount
        for index in 0..<Int(header.hitCount) {
            guard let hit = HitView(UnsafeRawBufferPointer(rebasing: frame[at...])) else {
                return false
            }
            at += hit.byteCount
            let verdict = encode(hit)
            verdicts.storeBytes(of: verdict.rawValue, toByteOffset: index, as: UInt8.self)
        }
        return at == frame.count
    }

    /// The encoder writes either kind of row; a bad one moves over to its batch.
    private func encode(_ hit: HitView) -> Verdict {
        state.pointee.plantedCrash.strike(hit)
        let place = state.pointee.goodRows.end
        let row = state.pointee.encoder.encode(hit, into: place)
        if row.kind == .good {
            state.pointee.goodRows.commit(
                row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
            return .good
        }
        memcpy(state.pointee.badRows.end, place, row.byteCount)
        state.pointee.badRows.commit(
            row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
        return .bad
    }

    /// Appends a batch to its lane, unless the lane holds it from before its link broke. False when
    /// the lane could not take it.
    private func store(
        _ lane: inout SpoolLane, _ rows: inout RowBatch, _ header: FrameHeader,
        _ counters: CounterPage
    ) -> Bool {
        if rows.hitCount == 0 { return true }
        if lane.holds(header) {
            counters.add(to: .framesRepeated)
            return true
        }
        let outcome = lane.append(
            rows.base, payloadBytes: rows.byteCount, hitCount: rows.hitCount, kind: .rows,
            origin: header.origin, sequence: header.sequence,
            receivedAtMicroseconds: rows.receivedAtMicroseconds)
        switch outcome {
        case .stored:
            counters.add(to: .spoolWrites)
            return true
        case .full:
            counters.add(UInt64(rows.hitCount), to: .hitsRefusedFull)
        case .failed:
            counters.add(UInt64(rows.hitCount), to: .hitsRefusedFailure)
        }
        rows.clear()
        return false
    }

    private func refuse(_ verdict: Verdict, _ count: Int, _ verdicts: UnsafeMutableRawPointer) {
        for index in 0..<count
        where verdicts.load(fromByteOffset: index, as: UInt8.self) == verdict.rawValue {
            verdicts.storeBytes(of: Verdict.refused.rawValue, toByteOffset: index, as: UInt8.self)
        }
    }

    /// The ack leaves before anything else is done: a router waits for it. A link that does not
    /// take it is not read until it does: so the frames stored and not acknowledged stay far
    /// fewer than the 256 that a lane can tell apart when they are sent again.
    private func acknowledge(
        _ header: FrameHeader, to link: UnsafeMutablePointer<RouterLink>
    ) {
        let count = FrameHeader.byteCount + Int(header.hitCount)
        FrameHeader(
            byteCount: UInt32(count), kind: .ack, hitCount: header.hitCount, origin: header.origin,
            sequence: header.sequence
        ).write(to: state.pointee.ack)
        let written = link.pointee.handle.tryWrite(state.pointee.ack, count)
        if written == count || written < 0 { return }
        link.pointee.handle.stopReading()
        try? link.pointee.handle.writeCopying(state.pointee.ack + written, count - written)
    }

    /// Counters say what is on disk, so they follow the write; deliveries learn what is new.
    private func noteAppended() {
        let counters = state.pointee.counters
        if state.pointee.goodRows.hitCount > 0 {
            counters.set(.goodHits, to: state.pointee.spool.pointee.good.cumulativeHits)
            state.pointee.goodDelivery.pointee.appended(bytes: state.pointee.goodRows.byteCount)
        }
        if state.pointee.badRows.hitCount > 0 {
            counters.set(.badHits, to: state.pointee.spool.pointee.bad.cumulativeHits)
            state.pointee.badDelivery.pointee.appended(bytes: state.pointee.badRows.byteCount)
        }
    }
}
