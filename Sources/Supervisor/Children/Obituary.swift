import Core

/// What is logged when a child dies: who, how, after how long, and when its successor comes.
struct Obituary {
    var role: Inheritance.Role
    var slot: Int
    var pid: Int32
    var status: Int64
    /// 0 when it exited by itself.
    var signal: Int32
    var uptimeMs: UInt64
    var wasReady: Bool
    var wasOrdered: Bool
    /// Nil: it does not come back.
    var restartDelayMs: UInt64?
    /// Why the supervisor killed it; nil when it did not.
    var killedBecause: String?
    /// What is known of a death by SIGKILL that nobody here ordered, or of a core dump.
    var hint: String?
    /// What it wrote itself before its end; "" when it came too suddenly.
    var lastWords = ""
    /// The slot's budget of starts is spent.
    var isAbandoned = false

    /// A death that nobody asked for is an error; a slot that is given up is none that passes.
    var level: Settings.LogLevel { wasOrdered && signal == 0 && status == 0 ? .info : .error }

    var line: String {
        var line = "\(role.rawValue) \(slot) (pid \(pid)) \(wasOrdered ? "left" : "died"): "
        line += signal == 0 ? "exit code \(status)" : "killed by \(signalName(signal))"
        if let words = killedBecause ?? hint { line += " (\(words))" }
        line += ", up \(seconds(uptimeMs))"
        if !wasReady { line += ", never ready" }
        if !lastWords.isEmpty { line += ": \(firstLine(of: lastWords))" }
        if isAbandoned {
            line +=
                "; abandoned after \(ChildMachine.startsWithoutReadyMax) starts: mend the cause "
                + "and start the cluster anew"
        }
        switch restartDelayMs {
        case nil: break
        case 0: line += "; restarts at once"
        case let delayMs?: line += "; restarts in \(seconds(delayMs))"
        }
        return line
    }

    /// The child wrote it: nothing in it may move a terminal's cursor or begin another line.
    private func firstLine(of text: String) -> String {
        printable(String(text.prefix { !$0.isNewline }))
    }

    /// Whether the n-th early death in a row is worth a line: the 1st, 2nd, 4th, 8th … A slot that
    /// cannot boot must not fill the disk with the same news.
    static func isNews(earlyDeaths: Int) -> Bool { earlyDeaths & (earlyDeaths - 1) == 0 }
}

/// "SIGKILL", or "signal 44".
func signalName(_ number: Int32) -> String {
    let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
        7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2",
        13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
    ]
    return names[number] ?? "signal \(number)"
}

/// "0.25 s", "12.3 s", "480 s": three figures are enough.
func seconds(_ milliseconds: UInt64) -> String {
    switch milliseconds {
    case ..<1000: "0.\(padded(milliseconds / 10, 2)) s"
    case ..<100_000: "\(milliseconds / 1000).\(milliseconds / 100 % 10) s"
    default: "\(milliseconds / 1000) s"
    }
}

private func padded(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
