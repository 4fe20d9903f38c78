/// Of the program, as `hydrant --version` and load results say it.
public let hydrantVersion = "0.1.0"
