import Platform

/// What becomes of a full buffer, one step at a time:
///
///     begin ─► write ─► name ─► load ─► commit ─► forget
///
/// The buffer's file is the work's only memory. A death at any point leaves it in place, and the
/// next start begins again at `begin`, which skips what is already true: an object that has its name
/// is whole (it was renamed there), one that is in `_loaded_objects` has its rows (one transaction).
/// Only then does `forget` remove the buffer.
final class ObjectJob {
    private enum State {
        case begin
        case write(ObjectWriter)
        case name(ObjectWriter)
        case load(ObjectLoader)
        case commit(ObjectLoader)
        case forget
    }

    enum Progress { case more, done }

    let bufferPath: String
    let bufferBytes: Int
    private let objectPath: String
    private let objectURL: String
    private let isGzip: Bool
    private let destination: Warehouse.Destination?
    private let warehouse: Warehouse?
    private var state = State.begin

    /// What this job has done, for the counters.
    private(set) var madeObject = false
    private(set) var rowsLoaded = 0
    private(set) var rowsRejected = 0

    /// - Parameter warehouse: nil when nothing is to be loaded.
    init(
        buffer: ObjectName, of stream: StreamDefinition, folder: String, bucketsFolder: String,
        warehouse: Warehouse?
    ) {
        bufferPath = folder + "/" + buffer.bufferFile
        bufferBytes = (try? Files.size(bufferPath)) ?? 0
        let key = buffer.key(stream: stream.name, prefix: stream.prefix, isGzip: stream.isGzip)
        objectPath = bucketsFolder + "/" + stream.bucket + "/" + key
        objectURL = "s3://" + stream.bucket + "/" + key
        isGzip = stream.isGzip
        switch stream.kind {
        case .good: destination = .good
        case .bad: destination = .bad
        case .objects: destination = nil
        }
        self.warehouse = warehouse
    }

    /// Does the next small piece. After a throw, call again later: it begins anew.
    func step() throws -> Progress {
        do {
            return try advance()
        } catch {
            warehouse?.rollBack()
            state = .begin
            throw error
        }
    }

    private func advance() throws -> Progress {
        switch state {
        case .begin: state = try begin()
        case .write(let writer):
            if try writer.step() == .done { state = .name(writer) }
        case .name(let writer): state = try name(writer)
        case .load(let loader): state = try load(loader)
        case .commit(let loader): state = try commit(loader)
        case .forget:
            try Files.remove(bufferPath)
            return .done
        }
        return .more
    }

    private func begin() throws -> State {
        if Files.exists(objectPath) { return try afterObject() }
        return .write(try ObjectWriter(buffer: bufferPath, path: objectPath, isGzip: isGzip))
    }

    private func name(_ writer: ObjectWriter) throws -> State {
        if writer.payloadBytes == 0 {
            // Nothing in it was ever answered.
            try Files.remove(writer.object.temporaryPath)
            return .forget
        }
        try writer.object.name()
        madeObject = true
        return try afterObject()
    }

    private func afterObject() throws -> State {
        guard let warehouse, let destination, try !warehouse.isLoaded(objectURL) else {
            return .forget
        }
        return .load(
            try ObjectLoader(
                path: objectPath, object: objectURL, destination: destination, warehouse: warehouse)
        )
    }

    private func load(_ loader: ObjectLoader) throws -> State {
        do {
            return try loader.step() == .done ? .commit(loader) : .load(loader)
        } catch let flaw as ObjectFlaw {
            try loader.giveUp(flaw)
            return .commit(loader)
        }
    }

    private func commit(_ loader: ObjectLoader) throws -> State {
        try warehouse!.commit()
        rowsLoaded += loader.rows
        rowsRejected += loader.rejected
        return .forget
    }
}
