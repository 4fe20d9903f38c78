import TestSupport

/// What goes wrong in a simulated life.
enum Fault: Equatable, CustomStringConvertible {
    case killWorker(Int)
    /// It dies within its next changes to the disk, perhaps half way in a write.
    case killWorkerInside(Int, changes: Int)
    case killRouter(Int)
    case killAll
    case cutPower
    case cutLink(router: Int, worker: Int)
    case stallWorker(Int, ms: UInt64)
    case replaceClients(Int)
    case disk(SimulatedDisk.Weather, ms: UInt64)
    case firehose(SimulatedFirehose.Weather, ms: UInt64)

    var description: String {
        switch self {
        case .killWorker(let slot): "worker \(slot) is killed"
        case .killWorkerInside(let slot, let changes):
            "worker \(slot) is killed \(changes) changes of the disk later"
        case .killRouter(let slot): "router \(slot) is killed"
        case .killAll: "every process is killed"
        case .cutPower: "the power is cut"
        case .cutLink(let router, let worker): "router \(router) cuts its link to worker \(worker)"
        case .stallWorker(let slot, let ms): "worker \(slot) reads nothing for \(ms) ms"
        case .replaceClients(let count): "\(count) clients leave, others come"
        case .disk(let weather, let ms): "the disk for \(ms) ms: \(weather)"
        case .firehose(let weather, let ms): "Firehose for \(ms) ms: \(weather)"
        }
    }
}

/// A simulated life before it is lived: all chance but that of its parts is drawn here, so that a
/// part of it can be left out when a failure is made shorter.
struct Plan {
    struct Event {
        var atMs: UInt64
        var fault: Fault
    }

    var seed: UInt64
    var routers: Int
    var workers: Int
    /// How long clients send hits.
    var trafficMs: UInt64
    var hitEveryMs: UInt64
    var events: [Event]
    /// `ack = "fsync"`: what is acknowledged survives a power cut.
    var isSynced: Bool
    /// Numbers of hits that end the worker which decodes them.
    var poison: [UInt64] = []
    /// Of so many good rows Firehose refuses one, whenever it comes; 0 for none.
    var refusesOneOf: UInt64 = 0

    init(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        self.seed = seed
        routers = 1 + Int(dice.roll(2))
        workers = 1 + Int(dice.roll(3))
        trafficMs = 500 + dice.roll(5000)
        hitEveryMs = 5 + dice.roll(30)
        isSynced = dice.chance(50)
        if dice.chance(20) { poison = (0...dice.roll(2)).map { _ in 1 + dice.roll(200) } }
        if dice.chance(30) { refusesOneOf = 2 + dice.roll(60) }
        events = []
        for _ in 0..<dice.roll(10) {
            events.append(Event(atMs: 100 + dice.roll(trafficMs), fault: draw(&dice)))
        }
        events.sort { $0.atMs < $1.atMs }
    }

    private func draw(_ dice: inout SeededDice) -> Fault {
        let worker = Int(dice.roll(UInt64(workers)))
        let router = Int(dice.roll(UInt64(routers)))
        switch dice.roll(20) {
        case 0..<3: return .killWorker(worker)
        case 3..<7: return .killWorkerInside(worker, changes: Int(dice.roll(12)))
        case 7..<9: return .killRouter(router)
        case 9: return .killAll
        case 10: return isSynced || dice.chance(30) ? .cutPower : .killAll
        case 11: return .cutLink(router: router, worker: worker)
        case 12: return .stallWorker(worker, ms: 100 + dice.roll(4000))
        case 13: return .replaceClients(1 + Int(dice.roll(8)))
        case 14..<17: return .disk(weather(&dice), ms: 50 + dice.roll(1500))
        default: return .firehose(service(&dice), ms: 50 + dice.roll(2000))
        }
    }

    private func weather(_ dice: inout SeededDice) -> SimulatedDisk.Weather {
        var weather = SimulatedDisk.Weather()
        switch dice.roll(6) {
        case 0: weather.isFull = true
        case 1: weather.failsWrites = true
        case 2: weather.failsSyncs = true
        case 3: weather.isReadOnly = true
        case 4: weather.failsSomeSyncs = true
        default: weather.cutsWrites = true
        }
        return weather
    }

    private func service(_ dice: inout SeededDice) -> SimulatedFirehose.Weather {
        var weather = SimulatedFirehose.Weather()
        switch dice.roll(5) {
        case 0: weather.isDown = true
        case 1: weather.throttles = true
        case 2: weather.refusedPercent = 10 + Int(dice.roll(91))
        case 3: weather.isSilent = true
        default: weather.garbles = true
        }
        return weather
    }

    /// What a person needs to see how it went wrong.
    var history: String {
        let head =
            "seed \(seed): \(routers) routers, \(workers) workers, a hit every \(hitEveryMs) ms "
            + "for \(trafficMs) ms, ack = \"\(isSynced ? "fsync" : "spooled")\""
            + (poison.isEmpty ? "" : ", poison: hits \(poison)")
            + (refusesOneOf == 0 ? "" : ", one good row of \(refusesOneOf) is refused")
        return ([head] + events.map { "  at \($0.atMs) ms \($0.fault)" }).joined(separator: "\n")
    }
}
