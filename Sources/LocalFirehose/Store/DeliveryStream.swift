import Platform

/// A stream and the buffer it fills. The store owns it.
final class DeliveryStream {
    let definition: StreamDefinition
    let folder: String
    private(set) var open: OpenBuffer?
    private var nextNumber: Int

    /// Makes the folder and writes `stream.json`, unless it says the same already.
    init(definition: StreamDefinition, streamsFolder: String) throws {
        self.definition = definition
        folder = streamsFolder + "/" + definition.name
        try Files.makeFolders(folder)
        let path = folder + "/stream.json"
        if try Files.contents(path) != definition.file {
            try Files.replace(path, with: definition.file)
        }
        nextNumber = 1 + (Self.buffers(in: folder).last?.number ?? 0)
    }

    /// Buffers on disk, oldest first.
    static func buffers(in folder: String) -> [ObjectName] {
        Files.names(in: folder).compactMap(ObjectName.init(bufferFile:))
            .sorted { $0.number < $1.number }
    }

    /// Appends a call's frame; opens a buffer if there is none.
    func append(frame: UnsafeRawBufferPointer, nowMs: UInt64) throws(Failure) {
        if open == nil {
            let now = Int64(realtimeMicroseconds() / 1_000_000)
            let name = ObjectName(number: nextNumber, unixSeconds: now)
            open = try OpenBuffer(name: name, folder: folder, nowMs: nowMs)
            nextNumber += 1
        }
        try open!.append(frame: frame)
    }

    /// Ends the open buffer; it is now an object to be made. Nil when there is none.
    func seal() -> ObjectName? {
        guard let buffer = open else { return nil }
        Files.close(buffer.descriptor)
        open = nil
        return buffer.name
    }
}
