/// The report of a run as one HTML file.
struct HTMLReport {
    let results: [RunResult]

    init(_ result: RunResult) { results = [result] }

    static func comparing(_ results: [RunResult]) -> HTMLReport {
        var report = HTMLReport(results[0])
        report = HTMLReport(all: results)
        return report
    }

    private init(all: [RunResult]) { results = all }

    var html: String { "" }
}
