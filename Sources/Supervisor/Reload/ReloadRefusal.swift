/// Why a cluster goes on as it was. The lines are for a person, and say what to mend.
struct ReloadRefusal: Error, Equatable {
    var lines: [String]
}
