import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What whoever runs a cluster is told, and how soon.
    @Suite struct OperatorTests {
        private static let keys = ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"]

        // MARK: Health

        @Test
        func `a worker that stands still is told long before it is killed, and is taken back`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=2"])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            kill(worker, SIGSTOP)
            let isTold = try eventually(within: 9) {
                try cluster.health("/readyz").hasPrefix("HTTP/1.1 503 ")
            }
            #expect(isTold)
            let answer = try cluster.health("/readyz")
            #expect(answer.contains("worker 0 has stood still for "), "\(answer)")
            #expect(answer.contains("hits of shard 0 wait"), "\(answer)")
            let table = try cluster.hydrant(["status"] + cluster.finding).stdout
            #expect(table.contains("worker 0 has stood still for "), "\(table)")
            kill(worker, SIGCONT)
            let isBack = try eventually(within: 3) {
                try cluster.health("/readyz").hasPrefix("HTTP/1.1 200 ")
            }
            #expect(isBack)
            #expect(try cluster.status().pids(of: "worker").first == worker)
        }

        @Test func `under load a host is ready all the time`() throws {
            let cluster = try Cluster(settings: ["workers=2"])
            var unready: [String] = []
            _ = try underLoad(cluster, seconds: 6, "ready") {
                for _ in 0..<25 {
                    let answer = try cluster.health("/readyz?strict")
                    if !answer.hasPrefix("HTTP/1.1 200 ") { unready.append(answer) }
                    usleep(200_000)
                }
            }
            #expect(unready.isEmpty, "\(unready)")
        }

        @Test func `a Firehose that cannot be reached is a warning within seconds, by its stream`()
            throws
        {
            let dark = freePort()
            let cluster = try Cluster(
                settings: [
                    "workers=1", "delivery.mode=aws", "delivery.linger=50ms",
                    "firehose.endpoint_url=http://127.0.0.1:\(dark)",
                ], environment: Self.keys)
            let stream = try #require(try cluster.status().shards.first?.stream)
            #expect(try cluster.health("/readyz").contains(#""warnings":[]"#))
            _ = try cluster.get("/p.gif?event=e&uid=1")
            let isTold = try eventually(within: 10) {
                try cluster.health("/readyz").contains(#""code":"delivery""#)
            }
            #expect(isTold)
            let answer = try cluster.health("/readyz")
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "its hits are safe: \(answer)")
            #expect(answer.contains("shard 0 good lane: calls have failed for "), "\(answer)")
            #expect(
                answer.contains("stream \(stream): ") && answer.contains("refused"), "\(answer)")
            #expect(try cluster.health("/readyz?strict").hasPrefix("HTTP/1.1 503 "))
            let table = try cluster.hydrant(["status"] + cluster.finding).stdout
            #expect(table.contains("stream \(stream): "), "\(table)")
        }

        // MARK: The log

        @Test(arguments: ["json", "text"])
        func `the supervisor's lines have a time and the format of the others`(format: String)
            throws
        {
            let cluster = try Cluster(
                settings: ["workers=1", "log.format=\(format)"], start: false)
            let errors = cluster.folder.appendingPathComponent("errors")
            let process = try SpawnedProcess(
                binary, ["run"] + cluster.finding, folder: cluster.folder.path,
                output: cluster.log.path, errors: errors.path)
            #expect(eventually(within: 15) { (try? cluster.status())?.allReady == true })
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            kill(worker, SIGKILL)
            let isBack = try eventually(within: 10) {
                let status = try cluster.status()
                return status.allReady && status.pids(of: "worker") != [worker]
            }
            #expect(isBack)
            #expect(try cluster.hydrant(["reload"] + cluster.finding).status == 0)
            #expect(try cluster.hydrant(["stop"] + cluster.finding).status == 0)
            #expect(process.waitUntilExit(withinSeconds: 10))

            let lines = try String(contentsOf: errors, encoding: .utf8).split(separator: "\n")
            var told: [String] = []
            for line in lines {
                if format == "json" {
                    let parsed = try? JSONSerialization.jsonObject(with: Data(line.utf8))
                    let object = try #require(parsed as? [String: Any], "\(line)")
                    #expect((object["time"] as? String)?.hasSuffix("Z") == true, "\(line)")
                    guard object["process"] as? String == "supervisor" else { continue }
                    told.append("\(object["level"] ?? "") \(object["message"] ?? "")")
                } else {
                    let match = line.wholeMatch(
                        of: /\d{4}-\d\d-\d\dT[0-9:.]+Z ([A-Z]+) +([a-z-]+)( \d)? \[\d+\]: (.*)/)
                    let fields = try #require(match, "\(line)")
                    guard fields.2 == "supervisor" else { continue }
                    told.append("\(fields.1.lowercased()) \(fields.4)")
                }
            }
            for words in [
                "info ready: http://", "error worker 0 (pid \(worker)) died: killed by SIGKILL",
                "hydrant reload: taking on", "reloaded: 1 router, 1 worker",
                "hydrant stop: leaving",
                "stopped: ",
            ] { #expect(told.contains { $0.contains(words) }, "\(words): \(told)") }
        }

        // MARK: Commands

        @Test func `of a supervisor that stands still every command says so within seconds`() throws
        {
            let cluster = try Cluster(settings: ["workers=1"])
            kill(cluster.pid, SIGSTOP)
            let commands = [["status"], ["stop"], ["stop", "--deliver"], ["flush"], ["reload"]]
            let running = try commands.enumerated().map { index, words in
                try SpawnedProcess(
                    binary, words + cluster.finding, folder: cluster.folder.path,
                    errors: cluster.folder.appendingPathComponent("said-\(index)").path)
            }
            let start = Date()
            for (index, process) in running.enumerated() {
                #expect(process.waitUntilExit(withinSeconds: 20), "\(commands[index])")
                let said = try String(
                    contentsOf: cluster.folder.appendingPathComponent("said-\(index)"),
                    encoding: .utf8)
                #expect(process.exitStatus == 75, "\(commands[index]): \(said)")
                #expect(
                    said.contains("the supervisor (pid \(cluster.pid)) has said nothing for 10 s"),
                    "\(said)")
                #expect(said.contains("hint: ") && said.contains("kill -CONT"), "\(said)")
            }
            #expect(Date().timeIntervalSince(start) < 15)
            kill(cluster.pid, SIGCONT)
            // What they asked for is not done behind their backs: it was only asked after an answer.
            usleep(500_000)
            #expect(try cluster.status().allReady)
            #expect(try cluster.stop() == 0)
        }

        @Test func `a query where rows go elsewhere says where they are`() throws {
            let cluster = try Cluster(config: "[delivery]\nmode = \"aws\"\n", start: false)
            let there = ["--set", "firehose.endpoint_url=http://127.0.0.1:4566"]
            let output = try cluster.hydrant(["query", "select 1"] + there)
            expectClearFailure(output, 69, "delivery.mode = \"aws\"", "http://127.0.0.1:4566")
            // What only a start needs does not keep anybody from asking.
            let without = try cluster.hydrant(["query", "select 1"])
            #expect(without.status == 69, "\(without.stderr)")
            #expect(without.stderr.contains("there is no warehouse at "), "\(without.stderr)")
        }

        // MARK: Starts that fail

        @Test
        func `a second cluster on the spool of another is refused, and leaves nothing behind`()
            throws
        {
            let first = try Cluster(settings: ["workers=2"])
            let spool = first.data.appendingPathComponent("spool").path
            let second = try Cluster(
                settings: ["workers=1", "spool.dir=\(spool)"], start: false)
            let start = Date()
            let output = try second.hydrant(["run"] + second.finding, timeoutSeconds: 30)
            #expect(Date().timeIntervalSince(start) < 9)
            #expect(output.status == 69, "\(output.stderr)")
            #expect(
                output.stderr.contains("spool.dir = \(spool): another cluster (pid \(first.pid))"),
                "\(output.stderr)")
            #expect(output.stderr.contains("hint: give this one a spool of its own"))
            #expect(!FileManager.default.fileExists(atPath: second.data.path))
            #expect(try first.get("/p.gif?event=e").stdout.hasPrefix("HTTP/1.1 200"))
        }

        @Test(
            .enabled(if: SmallDisk.isPossible, "this machine lets nobody mount"),
            arguments: [
                ("local", "var/local-credentials"), ("aws", "var/run/settings.toml"),
            ])
        func `a first start on a full disk names the file and the remedy`(
            mode: String, file: String
        ) throws {
            let cluster = try Cluster(
                settings: [
                    "workers=1", "delivery.mode=\(mode)",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                ], environment: Self.keys, start: false)
            let script = """
                mkdir disk && mount -t tmpfs -o size=64k none disk || exit 9
                cat /dev/zero > disk/filler 2> /dev/null
                cd disk && "$0" run "$@"
                echo "exit $?"; ls
                """
            let output = try run(
                "unshare", ["-rm", "bash", "-c", script, binary] + cluster.finding,
                in: cluster.folder, environment: cluster.environment, timeoutSeconds: 60)
            #expect(output.stdout.contains("exit 73"), "\(output.stdout)\(output.stderr)")
            #expect(
                output.stderr.contains("disk/\(file): cannot be written: no space left on device"),
                "\(output.stderr)")
            #expect(output.stderr.contains("hint: make room on that disk"), "\(output.stderr)")
            #expect(output.stdout.hasSuffix("exit 73\nfiller\n"), "\(output.stdout)")
        }
    }
}
