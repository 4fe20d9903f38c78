"""Stack samples of processes under load, taken by Linux perf with a timer (`cpu-clock`), which works
in virtual machines too.

The timer runs on every CPU, whatever it does, and other processes' samples are passed over. With
perf's `-p` the kernel would start and stop a timer at each switch between processes, and a server
that is woken for every few hits switches so often that this makes its hits dearer by half.
"""
import os
import re
import shutil
import signal
import subprocess

#: Deep enough for a send over loopback, which runs the receiver's part below the sender's. Broken
#: user stacks repeat one address up to the limit, so a large one costs.
STACK_FRAMES = 80
END_SECONDS = 60
FRAME = re.compile(r"\s+([0-9a-f]+) (.*) \((.*)\)$")


def missing():
    """The Debian package of a tool that is not here, or ""."""
    return "" if shutil.which("perf") else "linux-perf"


class Profile:
    """`with Profile(path, frequency):` samples every CPU while the block runs."""

    def __init__(self, path, frequency):
        self.path, self.frequency = path, frequency

    def __enter__(self):
        orders, self.ours = os.pipe()
        self.answer, theirs = os.pipe()
        command = [
            "perf", "record", "--quiet", "--all-cpus", "--no-buildid", "--event", f"cpu-clock/max-stack={STACK_FRAMES}/",
            "--freq", str(self.frequency), "--call-graph", "fp", "--mmap-pages", "4M", "--delay", "-1",
            "--control", f"fd:{orders},{theirs}", "--output", self.path,
        ]
        with open(f"{self.path}.log", "wb") as log:
            self.process = subprocess.Popen(
                command, pass_fds=(orders, theirs), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(orders)
        os.close(theirs)
        try:
            os.write(self.ours, b"enable\n")
            begun = os.read(self.answer, 16).startswith(b"ack")
        except BrokenPipeError:
            begun = False
        if not begun:
            self.end()
            raise RuntimeError(
                f"perf does not sample: {self.said()}\nIt has to see all CPUs and the kernel's functions: "
                "run as root, or with sysctl kernel.perf_event_paranoid=-1 kernel.kptr_restrict=0")
        return self

    def said(self):
        with open(f"{self.path}.log", errors="replace") as file:
            return file.read().strip()

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.end()

    def end(self):
        """Only now may its orders end: perf takes that for an end of its own."""
        self.process.wait(END_SECONDS)
        os.close(self.ours)
        os.close(self.answer)

    def samples(self, pids):
        """(pid, seconds, kernel frames, user frames) of each sample of these processes. Frames are
        (function or "[unknown]", file), innermost first."""
        command = [
            "perf", "script", "--input", self.path, "--pid", ",".join(map(str, pids)),
            "--fields", "pid,period,ip,sym,dso",
        ]
        with open(f"{self.path}.log", "wb") as log, subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, errors="replace") as reader:
            head, kernel, user = None, [], []
            for line in reader.stdout:
                found = FRAME.match(line)
                if found:
                    where = kernel if found[3].startswith("[kernel") or found[3].endswith(".ko") else user
                    # What a broken chain repeats is no code.
                    if found[3] != "[unknown]":
                        where.append((found[2], found[3]))
                elif line.strip():
                    head, kernel, user = line.split(), [], []
                elif head:
                    yield int(head[0]), int(head[1].rstrip(":")) / 1e9, kernel, user
                    head = None
        if reader.returncode != 0:
            raise RuntimeError(f"perf script failed: {self.said()}")


def demangled(names):
    """{mangled: readable} of Swift functions, in one run of `swift demangle`."""
    names = sorted(name for name in names if name.startswith("$s"))
    said = subprocess.run(
        ["swift", "demangle", "--compact", "--simplified"], input="\n".join(names), capture_output=True, text=True)
    lines = said.stdout.splitlines()
    if said.returncode != 0 or len(lines) != len(names):
        raise RuntimeError(f"swift demangle failed: {said.stderr.strip()}")
    return dict(zip(names, lines))
