import Core
import Glibc

extension SpoolLane {
    func holds(_ header: FrameHeader) -> Bool { origins.holds(header) }
}

/// A worker's death on demand, so that tests can watch how a cluster lives with a hit that kills.
///
/// Exists where the environment variable `HYDRANT_TEST_CRASH_EVENT` is set when the worker starts,
/// and nowhere else: a hit whose request target contains its value then ends the process, in the
/// decoder's place. `run` and `check` warn while it is set.
struct PlantedCrash {
    private let needle: UnsafeMutablePointer<CChar>?
    private let byteCount: Int

    init() {
        guard let value = getenv("HYDRANT_TEST_CRASH_EVENT"), value[0] != 0 else {
            (needle, byteCount) = (nil, 0)
            return
        }
        needle = strdup(value)
        byteCount = strlen(value)
    }

    @inline(__always)
    func strike(_ hit: HitView) {
        if let needle { strike(hit, needle) }
    }

    @inline(never)
    private func strike(_ hit: HitView, _ needle: UnsafeMutablePointer<CChar>) {
        guard let base = hit.target.baseAddress, hit.target.count >= byteCount else { return }
        for at in 0...(hit.target.count - byteCount)
        where memcmp(base + at, needle, byteCount) == 0 { abort() }
    }
}
