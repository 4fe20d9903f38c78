// swift-tools-version:6.3
import PackageDescription

/// Hot code crosses target boundaries as `public` functions; this makes the optimizer specialize
/// and inline them there (measured in docs/decisions/0002).
let swift: [SwiftSetting] = [
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    .enableUpcomingFeature("ExistentialAny"),
]

/// One role's library: it may use the shared layers and no other role.
func role(_ name: String, path: String? = nil, _ extra: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: ["Core", "Platform", "Config", "Log", "ChildSupport"] + extra,
        path: path ?? "Sources/\(name)",
        swiftSettings: swift
    )
}

func shared(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/Shared/\(name)",
        swiftSettings: swift)
}

func library(_ name: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/Shared/\(name)", providers: [.apt([apt])])
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport"],
        path: "Tests/\(name)Tests",
        // Texts that reports are compared with, and bugs that the simulator is to find.
        exclude: ["LoadTest": ["Golden"], "Simulator": ["Bugs"]][name] ?? [],
        swiftSettings: settings)
}

let package = Package(
    name: "hydrant",
    products: [.executable(name: "hydrant", targets: ["Supervisor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        // C
        library("CLibuv", apt: "libuv1-dev"),
        library("COpenSSL", apt: "libssl-dev"),
        library("CSQLite", apt: "libsqlite3-dev"),
        library("CZlib", apt: "zlib1g-dev"),
        library("CXXHash", apt: "libxxhash-dev"),
        .target(name: "CLinux", path: "Sources/Shared/CLinux"),
        .target(name: "CBytes", path: "Sources/Shared/CBytes", cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "CJSON", path: "Sources/Shared/CJSON",
            linkerSettings: [.linkedLibrary("simdjson")]),

        // What every process stands on
        shared("Core", ["CBytes", "CXXHash", "COpenSSL"]),
        shared("Platform", ["CLibuv", "CLinux", "COpenSSL"]),
        shared("Config", ["Core", .product(name: "TOMLKit", package: "TOMLKit")]),
        shared("Log", ["Core", .product(name: "Logging", package: "swift-log")]),

        shared(
            "ChildSupport",
            ["Core", "Platform", "Config", "Log", .product(name: "Logging", package: "swift-log")]),

        // The processes
        role("Router"),
        role("Worker"),
        role("LocalFirehose", ["CSQLite", "CZlib", "CJSON"]),
        role(
            "LoadTest", path: "loadtest/Sources",
            [
                "CSQLite", "CZlib", "CBytes",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "Supervisor",
            dependencies: [
                "Core", "Platform", "Config", "Log", "Router", "Worker", "LocalFirehose",
                "LoadTest", "CSQLite",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Supervisor",
            swiftSettings: swift
        ),

        // What tests stand on: helpers that know nothing of the product.
        .systemLibrary(name: "CSpawn", path: "Tests/CSpawn"),
        .target(name: "TestSupport", dependencies: ["CSpawn"], path: "Tests/Support"),

        // Each declares what it imports, all of it and no more (ImportTests).
        tests("Support", []),
        tests("Core", ["Core", "Config"]),
        tests("Platform", ["Platform", "COpenSSL"]),
        tests("Config", ["Config", "Core", .product(name: "TOMLKit", package: "TOMLKit")]),
        tests("Log", ["Log", "Core", .product(name: "Logging", package: "swift-log")]),
        tests("Router", ["Router", "Core", "Platform"]),
        tests("Worker", ["Worker", "Core", "Platform", "Config"]),
        tests(
            "LoadTest",
            [
                "LoadTest", "Core", "Platform", "Config", "CZlib", "CSQLite",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]),
        tests("LocalFirehose", ["LocalFirehose", "Core", "Platform", "CZlib"]),
        tests(
            "Supervisor",
            [
                "Supervisor", "Core", "Platform", "Config",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Routers, workers and the supervisor's machines together, on simulated time.
        // Optimized, because it lives thousands of lives.
        tests(
            "Simulator", ["Router", "Worker", "Supervisor", "Core", "Platform", "Config"],
            [.unsafeFlags(["-O"])]),
        tests("Architecture", []),
        // From outside only: it knows the product as a user does, by its binary.
        tests("EndToEnd", []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// `ops/simulate` builds the one test target it runs, not the others.
if let only = Context.environment["HYDRANT_ONLY_TESTS"] {
    package.targets.removeAll { $0.type == .test && $0.name != only }
}
