"""How soon a cluster answers when it finds a large spool: from exec to the first answered hit."""
import glob
import os
import socket
import time

from . import servers, traffic

FILL_PIPELINE, FILL_SECONDS, FILL_CONNECTIONS = 16, 5, 64
START_SECONDS = 60


class Stranded(servers.Hydrant):
    """A cluster whose Firehose cannot be reached, so that what it is given stays in its spool."""

    def __init__(self, name, folder, binary, workers, sets=()):
        away = f"http://127.0.0.1:{servers.free_port()}"
        super().__init__(name, folder, binary, workers, ["delivery.mode=aws", f"firehose.endpoint_url={away}", *sets])

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}

    def files(self):
        return [path for path in glob.glob(f"{self.folder}/var/spool/**", recursive=True) if os.path.isfile(path)]

    def spool_bytes(self):
        return sum(os.path.getsize(path) for path in self.files())

    def fill(self, wanted, script, say):
        """Load until the spool is that large. The cluster runs already, and is killed then."""
        while (have := self.spool_bytes()) < wanted:
            load = traffic.send(self.port, script, FILL_SECONDS, FILL_CONNECTIONS)
            say(f"spool {have / 1e9:.2f} of {wanted / 1e9:.2f} GB, {load.rate:,.0f} hits/s")
            if load.refused or not load.answers:
                raise RuntimeError(f"{self.name} answered {load.answers:,} hits, {load.refused:,} of them not with 2xx:\n{self.output()}")
        self.kill()

    def forget_cache(self):
        """As after a reboot: what it reads it reads from the disk."""
        for path in self.files():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)

    def milliseconds_to_answer(self):
        """From just before exec to the answer of the first hit, which is then stored. Killed after it."""
        self.forget_cache()
        request = traffic.prepared_requests(1)[0].encode()
        began = time.monotonic()
        self.launch()
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS) as client:
                    client.sendall(request)
                    if client.recv(16).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                pass  # nobody listens yet
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode} before it answered:\n{self.output()}")
            if time.monotonic() - began > START_SECONDS:
                raise RuntimeError(f"{self.name} does not answer after {START_SECONDS} s:\n{self.output()}")
            time.sleep(0.001)
        took = time.monotonic() - began
        self.kill()
        return took * 1e3
