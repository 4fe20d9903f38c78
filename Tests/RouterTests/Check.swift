import Testing

/// `#expect` for what it cannot take apart: noncopyable values and mutating calls.
func check(
    _ holds: Bool, _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation
) {
    if !holds { Issue.record(comment ?? "does not hold", sourceLocation: location) }
}
