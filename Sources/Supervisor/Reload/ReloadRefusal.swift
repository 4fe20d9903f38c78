/// Why a cluster goes on as it was. The lines are for a person, and say what to mend.
struct ReloadRefusal: Error, Equatable {
    var lines: [String]
    /// What to do about it, in one line.
    var hint: String
}
