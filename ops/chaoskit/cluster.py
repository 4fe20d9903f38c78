"""A cluster to do things to: in a folder of its own, on ports of its own, its processes known by
pid. Nothing here ever ends a process by its name."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

ROLES = ("router", "worker", "local-firehose", "supervisor")
#: Longer than any start that is in order, shorter than anybody's patience.
READY_SECONDS = 30


class Trouble(Exception):
    """The trial cannot go on. Its words say what happened and where to look."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read(path):
    """A file of /proc, or b"" when its process has gone."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def stat_fields(pid):
    """Of /proc/PID/stat, from the state on."""
    return read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def identity(pid):
    """A pid and when its process began: pids come round again, this does not."""
    fields = stat_fields(pid)
    return (pid, int(fields[19])) if len(fields) > 19 else None


def lives(known):
    """Whether the process of an `identity` still runs. A zombie does not."""
    return identity(known[0]) == known and stat_fields(known[0])[0:1] != [b"Z"]


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Cluster:
    """One data folder, and whichever supervisor runs it at the moment."""

    def __init__(self, binary, folder, settings=(), environment=None):
        self.binary, self.folder = binary, folder
        os.makedirs(folder, exist_ok=True)
        self.port, self.local_port, self.admin_port = free_port(), free_port(), free_port()
        self.settings = [
            f"listen=127.0.0.1:{self.port}", f"local.listen=127.0.0.1:{self.local_port}",
            f"admin=127.0.0.1:{self.admin_port}", *settings,
        ]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        #: Every process this cluster ever had, to see at the end that all have left.
        self.known = set()
        self.starts = 0
        #: Exit codes of supervisors that left without being killed or told to.
        self.unasked_exits = []
        self.lock = threading.RLock()

    @property
    def data(self):
        return f"{self.folder}/var"

    @property
    def log(self):
        return f"{self.folder}/log"

    def finding(self):
        return [word for setting in self.settings for word in ("--set", setting)]

    # Life

    def launch(self):
        with self.lock, open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "run", *self.finding()], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            self.starts += 1
            self.known.add(identity(self.process.pid))

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def revive(self):
        """Starts a supervisor unless one runs. An exit nobody asked for is remembered."""
        with self.lock:
            if self.is_running():
                return
            if self.process is not None and self.process.returncode != -signal.SIGKILL:
                self.unasked_exits.append(self.process.returncode)
            self.launch()

    def wait_ready(self, seconds=READY_SECONDS, revive=False):
        """Until `/readyz` says this host can take hits; the seconds that took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.is_ready():
                return time.monotonic() - started
            if revive:
                self.revive()
            elif not self.is_running():
                break
            time.sleep(0.02)
        raise Trouble(f"the cluster was not ready within {seconds} s; its log: {self.log}")

    def is_ready(self):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.admin_port}/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def pids(self):
        """The living, by role."""
        found = {role: [] for role in ROLES}
        if not self.is_running():
            return found
        root = self.process.pid
        found["supervisor"] = [root]
        for word in read(f"/proc/{root}/task/{root}/children").split():
            command = read(f"/proc/{int(word)}/cmdline").split(b"\0")
            role = next((word for word in found if word.encode() in command[1:3]), None)
            if role and role != "supervisor" and stat_fields(int(word))[0:1] != [b"Z"]:
                found[role].append(int(word))
                self.known.add(identity(int(word)))
        self.known.discard(None)
        return found

    def kill_all(self):
        """kill -9 of everything at once: the supervisor first, which would start the others anew."""
        with self.lock:
            pids = self.pids()
            for role in reversed(ROLES):
                for pid in pids[role]:
                    send(pid, signal.SIGKILL)
            if self.process is not None:
                self.process.wait()

    def stop(self, seconds=30):
        """As an operator stops it; its exit code."""
        with self.lock:
            if not self.is_running():
                return None
            self.pids()
            self.process.terminate()
            try:
                return self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill_all()
                return None

    def left_behind(self, seconds=5):
        """Processes of any of its lives that still run, given some seconds to leave."""
        deadline = time.monotonic() + seconds
        while True:
            left = sorted(known[0] for known in self.known if lives(known))
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)

    # What it says

    def command(self, *words, timeout=60):
        return subprocess.run(
            [self.binary, words[0], *self.finding(), *words[1:]], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False)

    def status(self):
        """What `status --json` says, or None: with nobody there it has nothing to say."""
        try:
            done = self.command("status", "--json", timeout=20)
            return json.loads(done.stdout) if done.returncode == 0 else None
        except (subprocess.TimeoutExpired, ValueError):
            return None

    def flush(self, seconds=120):
        """None, or what `hydrant flush` has against it."""
        done = self.command("flush", "--timeout", f"{seconds}s", timeout=seconds + 30)
        return None if done.returncode == 0 else (done.stderr + done.stdout).strip()

    def answers_hit(self):
        try:
            url = f"http://127.0.0.1:{self.port}/p.gif?event=load&campaign=fresh"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@contextlib.contextmanager
def trial_cluster(options, folder):
    """As the options ask for it, ready; and what `running` gives."""
    settings = [f"workers={options.workers}", f"ack={options.ack}", *options.set]
    cluster = Cluster(options.binary, f"{folder}/cluster", settings)
    with running(cluster) as beside:
        yield cluster, beside


@contextlib.contextmanager
def running(cluster):
    """Ready. Gives `beside`, through which goes whatever else runs in the trial and has an `end`: when
    the trial is over, well or not, all of that is ended, and the cluster last."""
    with contextlib.ExitStack() as ends:
        def beside(thing):
            ends.callback(thing.end)
            return thing

        ends.callback(cluster.kill_all)
        cluster.launch()
        cluster.wait_ready()
        yield beside


def open_files(cluster):
    """How many descriptors its supervisor has."""
    return len(os.listdir(f"/proc/{cluster.process.pid}/fd"))
