/// One of several by weight, with one draw and one comparison (Walker's alias method).
struct Choice {
    private struct Cell: BitwiseCopyable {
        /// Draws below keep the cell's own index, the others take its alias.
        var below: UInt32
        var alias: UInt32
    }

    private let cells: UnsafePointer<Cell>
    private let count: UInt32

    /// At least one weight is above 0.
    init(_ weights: [Double], in store: inout ByteStore) {
        let sum = weights.reduce(0, +)
        precondition(sum > 0)
        var scaled = weights.map { $0 / sum * Double(weights.count) }
        // What rounding leaves over keeps its own index; a weight of 0 is never taken.
        let heaviest = UInt32(weights.indices.max { weights[$0] < weights[$1] } ?? 0)
        var cells = weights.indices.map {
            weights[$0] > 0
                ? Cell(below: .max, alias: UInt32($0)) : Cell(below: 0, alias: heaviest)
        }
        var small = scaled.indices.filter { scaled[$0] < 1 }
        var large = scaled.indices.filter { scaled[$0] >= 1 }
        while let poor = small.popLast(), let rich = large.last {
            cells[poor] = Cell(
                below: UInt32(min(scaled[poor] * 0x1p32, 0x1p32 - 1)), alias: UInt32(rich))
            scaled[rich] -= 1 - scaled[poor]
            if scaled[rich] < 1 { small.append(large.removeLast()) }
        }
        count = UInt32(cells.count)
        self.cells = store.keepAll(cells)
    }

    @inline(__always)
    func index(_ draw: UInt64) -> Int {
        let own = draw.lowHalf.below(count)
        let cell = cells[Int(own)]
        // Without a branch: no processor could foresee it.
        let isOwn = UInt32(truncatingIfNeeded: (UInt64(draw.highHalf) &- UInt64(cell.below)) >> 32)
        return Int(cell.alias ^ ((cell.alias ^ own) & isOwn))
    }
}

/// One of several texts.
struct TextChoice {
    private let choice: Choice
    private let texts: UnsafePointer<SegmentCell>
    let bytesMax: Int

    private struct SegmentCell: BitwiseCopyable {
        var bytes: UnsafePointer<UInt8>
        var count: Int
    }

    init(_ texts: [(text: [UInt8], weight: Double)], in store: inout ByteStore) {
        choice = Choice(texts.map(\.weight), in: &store)
        var cells: [SegmentCell] = []
        for (text, _) in texts {
            let segment = store.keep(text)
            cells.append(SegmentCell(bytes: segment.bytes, count: segment.count))
        }
        self.texts = store.keepAll(cells)
        bytesMax = texts.map(\.text.count).max() ?? 0
    }

    @inline(__always)
    func index(_ draw: UInt64) -> Int { choice.index(draw) }

    @inline(__always)
    subscript(index: Int) -> Segment {
        Segment(bytes: texts[index].bytes, count: texts[index].count)
    }

    @inline(__always)
    func pick(_ draw: UInt64) -> Segment { self[index(draw)] }
}
