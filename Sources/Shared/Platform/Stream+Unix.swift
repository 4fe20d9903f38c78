import CLibuv

extension Stream {
    /// An empty Unix handle, for `accept`.
    public func openUnix(
        in loop: Loop, owner: UnsafeMutableRawPointer, events: UnsafePointer<StreamEvents>
    ) {
        let raw = uvx_stream(storage)!
        must("uv_pipe_init", uv_pipe_init(loop.raw, uvx_any_pipe(raw), 0))
        storage.pointee.owner = owner
        storage.pointee.events = events
        raw.pointee.data = UnsafeMutableRawPointer(storage)
    }
}
