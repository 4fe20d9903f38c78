"""The servers that are measured: each starts in a folder of its own, on a free loopback port."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from . import processes, traffic

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
READY_SECONDS = 30
STOP_SECONDS = 15

NGINX_CONF = """
worker_processes 2;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    log_format hit escape=json '{{"received_at":"$msec","client_address":"$remote_addr",'
        '"user_agent":"$http_user_agent","referer":"$http_referer","query":"$args"}}';
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        location = {path} {{
            access_log {folder}/access.log hit buffer=256k flush=1s;
            empty_gif;
        }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program under measurement. Subclasses say how it starts, which of its processes count,
    and when the work of the hits it answered is done."""

    #: Arguments that mark processes of the family which are not to be counted.
    not_counted = ()

    def __init__(self, name, folder):
        self.name, self.folder, self.port = name, f"{folder}/{name}", free_port()
        os.makedirs(self.folder)
        self.process = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        """What it finds in its environment beside the bench's own."""
        return {}

    def settle(self):
        """Returns when everything answered is also written, delivered, done."""
        time.sleep(1.2)  # the log buffers of the peers are flushed each second

    def launch(self):
        with open(f"{self.folder}/output.txt", "wb") as output:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **self.environment()},
            )

    def start(self):
        self.launch()
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode} before it answered:\n{self.output()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not answer after {READY_SECONDS} s:\n{self.output()}")
            time.sleep(0.05)
        return self

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(traffic.prepared_requests(1)[0].encode())
                return client.recv(16) .startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def output(self):
        with open(f"{self.folder}/output.txt", errors="replace") as file:
            return "".join(file.readlines()[-20:]).rstrip()

    def counted(self):
        return processes.family(self.process.pid, self.not_counted)

    def connection_holders(self):
        """The processes that hold client connections."""
        return self.counted()

    def clear(self):
        """Between rounds: frees what would fill the disk."""

    def sync_milliseconds(self):
        """Median time of the last syncs of what is stored; None where nothing is synced."""
        return None

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        everyone = processes.family(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill(everyone)

    def kill(self, pids=None):
        """All of its processes at once, or those, with no time to tidy up."""
        for pid in pids or processes.family(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


class Nginx(Server):
    def command(self):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        os.makedirs(f"{self.folder}/temp")
        with open(f"{self.folder}/nginx.conf", "w") as file:
            file.write(NGINX_CONF.format(folder=self.folder, port=self.port, path=traffic.PATH, connections=16_384, files=20_000))
        return [program, "-c", f"{self.folder}/nginx.conf", "-e", f"{self.folder}/error.log"]

    def connection_holders(self):
        return [pid for pid in self.counted() if pid != self.process.pid]

    def clear(self):
        os.truncate(f"{self.folder}/access.log", 0)


class Floor(Server):
    def command(self):
        program = f"{self.folder}/floor"
        subprocess.run(["cc", "-O2", f"{HERE}/floor.c", "-luv", "-o", program], check=True)
        return [program, str(self.port)]


class Article(Server):
    def command(self):
        return ["node", f"{HERE}/article-server.js", str(self.port)]


class Hydrant(Server):
    not_counted = ("local-firehose", "load")

    def __init__(self, name, folder, binary, workers, sets=()):
        super().__init__(name, folder)
        self.binary, self.workers, self.sets = binary, workers, sets
        self.local_port = free_port()

    def command(self):
        sets = [
            f"listen=127.0.0.1:{self.port}", f"workers={self.workers}",
            f"local.listen=127.0.0.1:{self.local_port}", "admin=off", "local.sink=discard", *self.sets,
        ]
        return [self.binary, "run", *(word for one in sets for word in ("--set", one))]

    def call(self, *arguments):
        """Another command of the same binary. It finds the cluster by the folder it runs in."""
        done = subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=180)
        if done.returncode != 0:
            raise RuntimeError(f"hydrant {' '.join(arguments)} failed: {(done.stderr or done.stdout).strip()}\n{self.output()}")
        return done.stdout

    def settle(self):
        self.call("flush")

    def connection_holders(self):
        return [pid for pid in self.counted() if processes.role(pid) == "router"]

    def status(self):
        return json.loads(self.call("status", "--json"))

    def sync_milliseconds(self):
        counters = self.status()["counters"]
        return counters["spool_sync_nanoseconds_median"] / 1e6 if counters.get("spool_syncs") else None

    def hits_per_worker(self):
        """Accepted hits of each shard, by the cluster's own ledger; {} if it names none."""
        shards = self.status().get("shards", [])
        return {str(shard.get("shard", at)): shard.get("accepted") for at, shard in enumerate(shards)}
