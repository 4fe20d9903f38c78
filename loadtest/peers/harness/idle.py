"""Memory of an idle connection: opens many, has one request answered on each, and reads the
private memory of the processes that hold them."""
import resource
import socket
import time

from . import processes

BATCH = 250
SPARE_FILES = 200


def raise_file_limit(wanted):
    """Raises the limit on open files as far as allowed; returns how many connections then fit.
    Servers started later inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + SPARE_FILES
    for limit in (max(hard, need), hard):  # only root may raise the hard limit
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            break
        except (ValueError, OSError):
            continue
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)


def read_answer(client):
    """One whole answer: head, then as many bytes as Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(client)
    head, body = data.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"an idle connection was answered {head.splitlines()[0].decode(errors='replace')!r}")
    length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:"))
    while len(body) < length:
        body += receive(client)


def receive(client):
    data = client.recv(4096)
    if not data:
        raise RuntimeError("the server closed a connection that was to stay open")
    return data


def open_answered(port, count, requests):
    """`count` connections, each after one answered request, in batches that fit any backlog."""
    clients = []
    for start in range(0, count, BATCH):
        batch = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(min(BATCH, count - start))]
        for at, client in enumerate(batch):
            client.sendall(requests[(start + at) % len(requests)].encode())
        for client in batch:
            read_answer(client)
        clients += batch
    return clients


def bytes_per_connection(server, count, requests):
    """For a server just started. A few connections come and go first, so that what a server sets
    up once, on its first requests, is not charged to the idle ones."""
    for client in open_answered(server.port, 64, requests):
        client.close()
    server.settle()
    time.sleep(0.5)
    holders = server.connection_holders()
    if not holders:
        raise RuntimeError(f"{server.name} shows no process that holds connections")
    before = processes.private_bytes(holders)
    clients = open_answered(server.port, count, requests)
    try:
        server.settle()
        time.sleep(0.5)
        if server.connection_holders() != holders:
            raise RuntimeError(f"{server.name} changed its processes while connections were open")
        return (processes.private_bytes(holders) - before) / count
    finally:
        server.stop()  # first, so that it never sees ten thousand clients leave at once
        for client in clients:
            client.close()
