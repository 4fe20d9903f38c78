"""A Firehose elsewhere: the local Firehose of a second cluster, which can be away for as long as a
trial wants and come back as it was."""
from .cluster import Cluster, Trouble


class FarSide:
    def __init__(self, options, folder, settings=()):
        # Objects are enough to count rows in; the processor is for the cluster under trial. But
        # a Firehose that is elsewhere does not starve because this machine is busy.
        self.cluster = Cluster(options.binary, f"{folder}/firehose", [
            f"workers={options.workers}", "local.sink=objects", "local.buffer_interval=1s",
            "local.priority=normal", *settings])

    @property
    def data(self):
        return self.cluster.data

    def come(self):
        self.cluster.launch()
        self.cluster.wait_ready()

    def go(self):
        """Away in order, so that what it has taken is in its objects."""
        code = self.cluster.stop()
        if code != 0:
            raise Trouble(f"the Firehose's cluster exited with {code}; its log: {self.cluster.log}")

    def environment(self):
        """Its key pair, as a worker wants it."""
        with open(f"{self.data}/local-credentials", encoding="utf-8") as file:
            lines = [line.split("=", 1) for line in file if "=" in line]
        return {name.strip().upper(): value.strip() for name, value in lines}

    def client(self, options, folder, settings=()):
        """A cluster that delivers to it, not started."""
        return Cluster(options.binary, f"{folder}/cluster", [
            f"workers={options.workers}", f"ack={options.ack}", "delivery.mode=aws",
            f"firehose.endpoint_url=http://127.0.0.1:{self.cluster.local_port}",
            "delivery.linger=1s", *settings, *options.set], self.environment())
