"""What the figures were taken on: they mean nothing without it."""
import os
import platform
import re
import subprocess
import tempfile


def _first(pattern, text, default="unknown"):
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else default


def _said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        return (done.stdout + done.stderr).strip()
    except OSError:
        return ""


def file_system(folder):
    """The type of the file system a folder is on, by the longest mount point above it."""
    with open("/proc/mounts") as file:
        mounts = [line.split()[1:3] for line in file]
    above = [(point, kind) for point, kind in mounts if os.path.commonpath([point, folder]) == point]
    return max(above, key=lambda one: len(one[0]), default=("/", "unknown"))[1]


def describe():
    with open("/proc/cpuinfo") as file:
        cpu = file.read()
    flags = set(_first(r"^(?:flags|Features)\s*:(.*)$", cpu, "").split())
    with open("/proc/meminfo") as file:
        kib = int(_first(r"^MemTotal:\s*(\d+)", file.read(), "0"))
    return {
        "cpu": _first(r"^model name\s*:(.*)$", cpu, platform.machine()),
        "cpu_model": "/".join(_first(rf"^{key}\s*:(.*)$", cpu, "?") for key in ("cpu family", "model", "stepping")),
        "sha_extensions": bool(flags & {"sha_ni", "sha2"}),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kib / 1024**2, 1),
        "kernel": platform.release(),
        "spool_on": file_system(os.path.realpath(tempfile.gettempdir())),  # servers keep their data there
        "load_average": os.getloadavg()[0],
    }


def versions(nginx):
    return {
        "nginx": _first(r"nginx/(\S+)", _said(nginx, "-v")),
        "libuv": _said("pkg-config", "--modversion", "libuv") or "unknown",
        "node": _said("node", "--version"),
        "wrk": _first(r"wrk (?:debian/)?(\S+)", _said("wrk", "-v")),
    }
