/// Rows that wait, or that came: by what they weigh and by how many they are.
struct RowLoad: Equatable {
    var bytes = 0
    var rows = 0

    static func + (left: RowLoad, right: RowLoad) -> RowLoad {
        RowLoad(bytes: left.bytes + right.bytes, rows: left.rows + right.rows)
    }
}
