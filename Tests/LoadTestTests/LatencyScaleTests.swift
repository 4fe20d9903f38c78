import Testing

@testable import LoadTest

@Suite struct LatencyScaleTests {
    @Test func `every cell begins where the one before ends`() {
        for cell in 0..<LatencyScale.cellCount {
            let lowest = LatencyScale.lowestMicroseconds(ofCell: cell)
            #expect(LatencyScale.cell(ofMicroseconds: lowest) == cell)
            if cell > 0 {
                #expect(LatencyScale.cell(ofMicroseconds: lowest - 1) == cell - 1)
            }
        }
    }
}
