extension Counter {
    /// The name as status and docs show it: "goodSpoolBytes" is "good_spool_bytes".
    public var snakeCaseName: String {
        var name = ""
        for letter in "\(self)" {
            if letter.isUppercase { name += "_" }
            name += letter.lowercased()
        }
        return name
    }
}
