/// Jump consistent hash (Lamping and Veach, 2014): a key's bucket out of `buckets`, so that growing
/// from n to n + 1 moves only 1 / (n + 1) of the keys. Buckets can only be added or removed at
/// the end, which is how shards are numbered.
public func jumpHash(_ key: UInt64, buckets: Int) -> Int {
    var state = key
    var bucket = -1
    var next = 0
    while next < buckets {
        bucket = next
        state = state &* 2_862_933_555_777_941_757 &+ 1
        next = Int(Double(bucket + 1) * (Double(1 << 31) / Double((state >> 33) + 1)))
    }
    return bucket
}
