/// What a generator process finds at fixed descriptors, beside stderr.
enum LoadInheritance {
    static let command = "load-worker"
    /// Its end means that the coordinator is gone.
    static let control: Int32 = 3
    /// The board, a memory file.
    static let board: Int32 = 4
    /// The plan as JSON, a memory file.
    static let plan: Int32 = 5
}
