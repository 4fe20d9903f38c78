/// Two lowercase digits a byte. Not the product's own spelling, which the tests check.
public func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The bytes of an even number of digits.
public func unhexed(_ digits: String) -> [UInt8] {
    let digits = Array(digits.utf8)
    precondition(digits.count % 2 == 0, "half a byte")
    return stride(from: 0, to: digits.count, by: 2).map {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)!
    }
}
