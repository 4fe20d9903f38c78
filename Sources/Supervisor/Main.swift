@main
enum Hydrant {
    static func main() { print("hydrant") }
}
