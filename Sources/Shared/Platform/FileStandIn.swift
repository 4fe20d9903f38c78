/// A disk that is only simulated, in the place of the kernel: see `Files`, whose methods these are.
/// Descriptors are the stand-in's own numbers, from 0 on.
public protocol FileStandIn: AnyObject {
    func makeFolder(_ path: String) throws(Failure)
    func create(_ path: String) throws(Failure) -> Int32
    func openOrCreate(_ path: String) throws(Failure) -> Int32
    func open(_ path: String) throws(Failure) -> Int32
    func close(_ file: Int32)
    func read(
        _ file: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int
    func write(
        _ file: Int32, _ bytes: UnsafeRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int
    func truncate(_ file: Int32, to byteCount: UInt64) throws(Failure)
    func syncData(_ file: Int32) throws(Failure)
    func syncFolder(_ path: String) throws(Failure)
    func unlink(_ path: String) throws(Failure)
    func rename(_ path: String, to other: String) throws(Failure)
    func list(_ path: String) throws(Failure) -> [Files.Entry]
    func lock(_ file: Int32) throws(Failure) -> Bool
}
