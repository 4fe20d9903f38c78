import ArgumentParser
import Config
import Core
import Foundation
import Platform
import Worker

struct FaultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults",
        abstract: "Show, set or clear what the local Firehose does wrong on purpose.",
        discussion: "docs/faults.md has the kinds of faults, with examples.",
        subcommands: [ShowFaults.self, SetFaults.self, ClearFaults.self],
        defaultSubcommand: ShowFaults.self)
}

struct ShowFaults: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The plan of the running cluster, and what it did so far.")

    @Flag(help: "The report as JSON, whole.")
    var json = false

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let body = try FaultCall.run("GET", try cluster.settings())
        if json { return Terminal.print(String(decoding: body, as: UTF8.self)) }
        Terminal.print(try FaultReport(body).text)
    }
}

struct SetFaults: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Have the running cluster use this plan and no other.")

    @Argument(help: "A TOML file of [[fault]] entries; - is stdin.")
    var file: String

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settings()
        let input = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
        guard let plan = try input?.readToEnd() ?? (input == nil ? nil : Data()) else {
            try reporting {
                throw ClusterFailure(
                    "\(file) cannot be read", hint: "check the path; docs/faults.md has examples",
                    exitCode: 66)
            }
            return
        }
        Terminal.print(try FaultReport(try FaultCall.run("POST", settings, Array(plan))).text)
    }
}

struct ClearFaults: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "No faults from here on.")

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        _ = try FaultCall.run("DELETE", try cluster.settings())
        Terminal.print("no faults\n")
    }
}

/// A call of `/_hydrant/faults`. Failures are told on stderr and become exit codes: 69 nobody there, 65
/// a plan that is refused.
private enum FaultCall {
    static func run(_ method: String, _ settings: Settings, _ body: [UInt8] = []) throws -> [UInt8]
    {
        var answer: [UInt8] = []
        try reporting {
            guard settings.deliveryMode == .local else {
                throw ClusterFailure(
                    "delivery.mode = \"aws\": there is no local Firehose that could have faults",
                    hint: "set delivery.mode = \"local\" for a rehearsal",
                    exitCode: ClusterExit.unavailable)
            }
            let settings = running(settings)
            let endpoint = settings.firehoseEndpoint
            let head =
                "\(method) /_hydrant/faults HTTP/1.1\r\nHost: \(endpoint.authority)\r\n"
                + "Content-Length: \(body.count)\r\n\r\n"
            let reply: LoneCall.Answer
            do {
                reply = try LoneCall.run(to: endpoint, settings, request: Array(head.utf8) + body)
            } catch {
                throw ClusterFailure(
                    "the local Firehose does not answer: \(error)",
                    hint: "is the cluster running? `hydrant status` tells; name it with --config "
                        + "or --set",
                    exitCode: ClusterExit.unavailable)
            }
            if reply.status != 200 {
                Terminal.printError(String(decoding: reply.body, as: UTF8.self))
                throw ExitCode(65)
            }
            answer = reply.body
        }
        return answer
    }
}

extension FaultCall {
    /// The settings of the cluster that runs in the data folder, else the ones given: it may have been
    /// started with others.
    private static func running(_ settings: Settings) -> Settings {
        let folder = DataFolder(path: settings.dataFolder)
        guard let path = folder.newestSettingsSnapshot,
            let loaded = try? SettingsLoader.load(
                configPath: path, overrides: [], environment: [:], workingFolder: "/")
        else { return settings }
        return loaded.settings
    }
}

/// The report as a table.
struct FaultReport {
    private struct Plan: Decodable {
        var faults: [Entry]
    }

    private struct Entry: Decodable {
        var name, kind, streams: String
        var matched, fired, records_stored, records_untold, records_refused: Int
    }

    let text: String

    init(_ json: [UInt8]) throws {
        let plan = try JSONDecoder().decode(Plan.self, from: Data(json))
        if plan.faults.isEmpty {
            text = "no faults\n"
            return
        }
        var lines = [["fault", "kind", "streams", "calls", "met", "stored", "untold", "refused"]]
        for entry in plan.faults {
            let numbers = [
                entry.matched, entry.fired, entry.records_stored, entry.records_untold,
                entry.records_refused,
            ]
            lines.append([entry.name, entry.kind, entry.streams] + numbers.map { "\($0)" })
        }
        let widths = (0..<8).map { column in lines.map { $0[column].count }.max() ?? 0 }
        text = lines.map { line in
            line.enumerated().map { column, word in
                let pad = String(repeating: " ", count: widths[column] - word.count)
                return column < 3 ? word + pad : pad + word
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
