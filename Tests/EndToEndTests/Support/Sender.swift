import Foundation
import TestSupport
import Testing

/// Sends numbered hits one after the other over a few connections; remembers which were
/// answered 200.
private let sender = """
    import http.client, json, sys, threading, time
    port, seconds, name = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    end = time.time() + seconds
    answered, other = [], {}
    lock = threading.Lock()
    def work(t):
        n, conn = 0, None
        while time.time() < end:
            n += 1
            tag = "%s-%d-%d" % (name, t, n)
            try:
                if conn is None: conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                conn.request("GET", "/p.gif?event=kill&campaign=%s&uid=%d" % (tag, n % 50))
                r = conn.getresponse(); r.read()
                with lock:
                    if r.status == 200: answered.append(tag)
                    else: other[str(r.status)] = other.get(str(r.status), 0) + 1
            except Exception as e:
                conn = None
                with lock: other[type(e).__name__] = other.get(type(e).__name__, 0) + 1
                time.sleep(0.01)
    threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    json.dump({"answered": answered, "other": other}, open(sys.argv[4], "w"))
    """

struct Sent {
    let answered: Set<String>
    let other: [String: Int]
}

/// Runs the sender and, meanwhile, the fault.
func underLoad(
    _ cluster: Cluster, seconds: Double, _ name: String, _ fault: () throws -> Void
) throws -> Sent {
    let script = cluster.folder.appendingPathComponent("sender.py")
    try sender.write(to: script, atomically: true, encoding: .utf8)
    let result = cluster.folder.appendingPathComponent("sent-\(name).json")
    let complaints = cluster.folder.appendingPathComponent("sender-\(name).log")
    let process = try SpawnedProcess(
        python, [script.path, "\(cluster.port)", "\(seconds)", name, result.path],
        errors: complaints.path)
    try fault()
    // A request may wait for its answer, 10 s at most.
    let hasEnded = process.waitUntilExit(withinSeconds: seconds + 30)
    let said = try String(contentsOf: complaints, encoding: .utf8)
    try #require(hasEnded && process.exitStatus == 0, "the sender: \(said)")
    let parsed =
        try JSONSerialization.jsonObject(with: Data(contentsOf: result)) as? [String: Any]
        ?? [:]
    return Sent(
        answered: Set(parsed["answered"] as? [String] ?? []),
        other: parsed["other"] as? [String: Int] ?? [:])
}

func expectAllThere(_ cluster: Cluster, _ sent: Sent) throws {
    try cluster.flush()
    let rows = try cluster.query("select campaign, id from events")
    let there = Set(rows.compactMap { $0["campaign"] as? String })
    let missing = sent.answered.subtracting(there)
    #expect(
        missing.isEmpty, "\(missing.count) answered hits are missing: \(missing.prefix(5))")
    let status = try cluster.status()
    #expect(status.ledger.closes)
    #expect(status.ledger.spooled == 0)
    #expect(status.ledger.accepted == Set(rows.compactMap { $0["id"] as? String }).count)
}

/// GETs that many hits, one after the other; how many were answered 200.
@discardableResult
func sendEach(
    _ count: Int, _ name: String, to cluster: Cluster
) throws -> Int {
    let urls = (0..<count).map {
        "\(cluster.pixel)?event=s&campaign=\(name)-\($0)&uid=u\($0)"
    }
    try urls.map { "url = \"\($0)\"\noutput = \"/dev/null\"" }.joined(separator: "\n")
        .write(
            to: cluster.folder.appendingPathComponent("urls"), atomically: true,
            encoding: .utf8)
    let sent = try run(
        "curl", ["-sS", "-w", "%{http_code}\\n", "-K", "urls"], in: cluster.folder)
    return sent.lines.count { $0 == "200" }
}
