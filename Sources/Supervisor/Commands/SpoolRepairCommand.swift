import ArgumentParser
import Core
import Platform
import Worker

struct SpoolRepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Take damage out of the spool of a stopped cluster.",
        discussion: """
            A cluster needs no repair to start or to deliver: it goes round damage by itself. \
            `repair` does it now and without one, so that `verify` finds nothing more. Damaged bytes \
            go to the shard's quarantine folder, files that are not this spool's are renamed, \
            everything that can be read stays. To see first what it would do: --dry-run.
            """)

    @Flag(help: "Only say what would be done. Works beside a running cluster.")
    var dryRun = false

    @OptionGroup var spool: SpoolOptions

    func run() throws {
        try reporting {
            let (settings, shards) = try spool.find()
            var steps = 0
            for shard in shards {
                do throws(SpoolRepairFailure) {
                    try SpoolRepair.run(
                        spoolFolder: settings.spoolFolder, shard: shard, isDryRun: dryRun
                    ) { step in
                        steps += 1
                        print("shard \(shard) \(step.words(isDryRun: dryRun))")
                    }
                } catch {
                    throw ClusterFailure(
                        error.description,
                        hint: error.isInUse
                            ? "stop the cluster first: hydrant stop; or look with --dry-run" : nil,
                        exitCode: error.isInUse ? ClusterExit.unavailable : ClusterExit.system)
                }
            }
            if steps == 0 { print("nothing to repair") }
        }
    }
}

extension SpoolRepair.Step {
    func words(isDryRun: Bool) -> String {
        let would = isDryRun ? "would be " : ""
        switch self {
        case .quarantined(let lane, let finding):
            return "\(lane.word): \(grouped(finding.byteCount)) damaged bytes of "
                + "\(SpoolNames.segment(finding.segment)) from \(grouped(finding.offset)) "
                + "\(would)copied to quarantine"
        case .rewritten(let lane, let segment, let from, let to):
            return "\(lane.word): \(SpoolNames.segment(segment)) \(would)written anew: "
                + "\(grouped(from)) B, then \(grouped(to)) B"
        case .renamed(let lane, let segment, let path):
            return "\(lane.word): \(SpoolNames.segment(segment)), which is not this lane's, "
                + "\(would)renamed" + (path.map { ": kept as \($0)" } ?? "")
        case .movedAside(let moved):
            return "\(moved.path), which is not of this spool, renamed: kept as \(moved.newPath)"
        case .noted(let lane, let finding):
            return "\(lane.word): \(countedHits(finding.hits)) missing \(finding.place): "
                + "\(would)noted in quarantine, and counted as dropped"
        case .cursorWritten(let lane):
            return "\(lane.word): cursor \(would)written anew"
        }
    }
}
