#!/usr/bin/env python3
"""An HTTP/1.1 server whose faults are planted and whose truth is known.

What a load generator reports is checked against it: a stall of known begin and end, every Nth request
answered with an error, with garbage, never, or by closing the connection. It answers a 43-byte GIF;
keep-alive and pipelining work; a body is read by its Content-Length. Standard library only.

    planted_server.py --stall-at 3 --stall-for 1

prints `ready PORT` once it listens, and at SIGTERM the truth as one line of JSON, which GET /truth
answers at any time (and is counted nowhere). Times in it are CLOCK_MONOTONIC in nanoseconds.
"""

import argparse
import asyncio
import collections
import http
import json
import re
import signal
import ssl
import time

GIF = (b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0"
       b"\x02\x02D\x01\0;")
GARBAGE = b"HTTP/1.1 two hundred\r\nContent-Length: forty-three\r\n\r\n"
HEAD_BYTES_MAX = 64 << 10
BODY_BYTES_MAX = 16 << 20

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
CONNECTION_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r\n", re.IGNORECASE)
REDIRECT_TARGET = re.compile(rb"[?&]url=([^& ]*)")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("--host", default="127.0.0.1")
    option("--port", type=int, default=0, help="0: one that is free")
    option("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files; HTTPS then")
    option("--log", metavar="FILE", help="every request as a line of JSON")
    option("--stall-at", type=float, metavar="S",
           help="the whole server freezes so long after its first request")
    option("--stall-for", type=float, default=1.0, metavar="S")
    option("--delay-ms", type=float, default=0.0, help="before each answer")
    option("--status-every", nargs=2, type=int, metavar=("N", "CODE"),
           help="every Nth request is answered with that status")
    option("--close-every", type=int, metavar="N",
           help="every Nth request is not answered: its connection is closed")
    option("--garbage-every", type=int, metavar="N", help="every Nth answer is no HTTP")
    option("--silent-every", type=int, metavar="N",
           help="every Nth request, and all behind it on its connection, is never answered")
    option("--goodbye-every", type=int, metavar="N",
           help="every Nth answer says Connection: close, and so it is")
    option("--chunked", action="store_true", help="bodies come by Transfer-Encoding: chunked")
    option("--redirects", action="store_true", help="/c... is answered 302, to its url=")
    return parser.parse_args()


class Truth:
    """What the server did. Every request is in exactly one of `answered` (by status), `garbage`,
    `closed`, `silent` and `unanswered` (its client left first, or it is still waiting)."""

    def __init__(self):
        self.requests = 0
        self.answered = collections.Counter()
        self.garbage = self.closed = self.silent = self.goodbyes = 0
        self.bodies = self.body_bytes = 0
        self.connections = self.open_connections = self.open_connections_max = 0
        self.pipelined_max = 0
        self.first_request_ns = self.last_request_ns = None
        self.stalls = []

    def count_answer(self, status):
        if status is None:
            self.garbage += 1
        else:
            self.answered[status] += 1

    def as_dict(self):
        facts = dict(vars(self))
        facts["answered"] = {str(code): n for code, n in sorted(self.answered.items())}
        facts["unanswered"] = self.requests - self.answered.total() - (
            self.garbage + self.closed + self.silent)
        return facts


class Server:
    def __init__(self, options, loop):
        self.options = options
        self.loop = loop
        self.truth = Truth()
        self.log = open(options.log, "w", encoding="ascii") if options.log else None
        self.plain_answer = self.answer(200, GIF)

    def answer(self, status, body, headers=b"Content-Type: image/gif\r\n"):
        try:
            phrase = http.HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        head = f"HTTP/1.1 {status} {phrase}\r\n".encode() + headers
        if status in (204, 304) or status < 200:
            return head + b"\r\n"
        if not self.options.chunked:
            return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        half = len(body) // 2
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part)
                          for part in (body[:half], body[half:]) if part)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    def count(self, connection, head, body):
        truth = self.truth
        truth.requests += 1
        truth.last_request_ns = time.monotonic_ns()
        if truth.first_request_ns is None:
            truth.first_request_ns = truth.last_request_ns
            if self.options.stall_at is not None:
                self.loop.call_later(self.options.stall_at, self.stall)
        if body:
            truth.bodies += 1
            truth.body_bytes += len(body)
        if self.log:
            json.dump({"request": truth.requests, "at_ns": truth.last_request_ns,
                       "connection": connection, "head": head.decode("latin-1"),
                       "body": body.decode("latin-1")}, self.log)
            self.log.write("\n")
        return truth.requests

    def stall(self):
        # Asleep within the event loop: nothing is accepted, read or written meanwhile.
        begin = time.monotonic_ns()
        time.sleep(self.options.stall_for)
        self.truth.stalls.append({"begin_ns": begin, "end_ns": time.monotonic_ns()})

    def truth_line(self):
        return json.dumps(self.truth.as_dict())

    def is_due(self, every, number):
        return every and number % every == 0


class Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.unread = b""
        # Answers that wait for --delay-ms, as (bytes, status, whether it is the last).
        self.delayed = collections.deque()
        self.is_silent = self.is_over = False

    def connection_made(self, transport):
        self.transport = transport
        truth = self.server.truth
        truth.connections += 1
        self.number = truth.connections
        truth.open_connections += 1
        truth.open_connections_max = max(truth.open_connections_max, truth.open_connections)

    def connection_lost(self, _):
        self.is_over = True
        self.server.truth.open_connections -= 1

    def data_received(self, data):
        data = self.unread + data if self.unread else data
        ready = []
        at = pipelined = 0
        while not self.is_over:
            end = data.find(b"\r\n\r\n", at)
            if end < 0:
                break
            end += 4
            head = data[at:end]
            body_bytes = self.body_bytes(head)
            if body_bytes is None or body_bytes > BODY_BYTES_MAX:
                return self.refuse(ready)
            if len(data) < end + body_bytes:
                break
            at = end + body_bytes
            pipelined += 1
            self.take(head, data[end:at], ready)
        self.unread = data[at:]
        truth = self.server.truth
        truth.pipelined_max = max(truth.pipelined_max, pipelined)
        if len(self.unread) > HEAD_BYTES_MAX + BODY_BYTES_MAX or (
                len(self.unread) > HEAD_BYTES_MAX and b"\r\n\r\n" not in self.unread):
            return self.refuse(ready)
        if ready:
            self.transport.write(b"".join(ready))
        if self.is_over:
            self.transport.close()

    @staticmethod
    def body_bytes(head):
        if head.startswith(b"GET "):
            return 0
        found = CONTENT_LENGTH.search(head)
        if found:
            return int(found[1])
        return None if b"transfer-encoding:" in head.lower() else 0

    def refuse(self, ready):
        """A request that this server cannot read; what was before it is answered."""
        self.is_over = True
        self.transport.write(b"".join(ready) + self.server.answer(400, b""))
        self.transport.close()

    def take(self, head, body, ready):
        server, options, truth = self.server, self.server.options, self.server.truth
        path = head.split(b" ", 2)[1]
        if path == b"/truth":
            text = server.truth_line().encode() + b"\n"
            return ready.append(server.answer(200, text, b"Content-Type: application/json\r\n"))
        number = server.count(self.number, head, body)
        if self.is_silent or server.is_due(options.silent_every, number):
            self.is_silent = True
            truth.silent += 1
        elif server.is_due(options.close_every, number):
            truth.closed += 1
            self.is_over = True
        elif server.is_due(options.garbage_every, number):
            self.send(GARBAGE, None, False, ready)
        else:
            self.send(*self.answer_to(head, path, number), ready)

    def answer_to(self, head, path, number):
        """The answer's bytes, its status, and whether the connection ends with it."""
        server, options = self.server, self.server.options
        status, answer = 200, server.plain_answer
        if options.redirects and path.startswith(b"/c"):
            target = REDIRECT_TARGET.search(path)
            location = target[1] if target else b"/"
            status = 302
            answer = server.answer(302, b"", b"Location: " + location + b"\r\n")
        if options.status_every and number % options.status_every[0] == 0:
            status = options.status_every[1]
            answer = server.answer(status, GIF)
        if head.startswith(b"HEAD "):
            answer = answer[:answer.index(b"\r\n\r\n") + 4]
        is_last = b" HTTP/1.0\r\n" in head or CONNECTION_CLOSE.search(head) is not None
        if server.is_due(options.goodbye_every, number):
            server.truth.goodbyes += 1
            is_last = True
        if is_last:
            answer = answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        return answer, status, is_last

    def send(self, answer, status, is_last, ready):
        """Now or after the delay, in order. Garbage has no status."""
        if self.server.options.delay_ms:
            self.delayed.append((answer, status, is_last))
            self.server.loop.call_later(self.server.options.delay_ms / 1000, self.send_delayed)
            return
        self.server.truth.count_answer(status)
        ready.append(answer)
        self.is_over = is_last

    def send_delayed(self):
        answer, status, is_last = self.delayed.popleft()
        if self.is_over:
            return
        self.server.truth.count_answer(status)
        self.transport.write(answer)
        if is_last:
            self.is_over = True
            self.transport.close()


async def main():
    options = parse_arguments()
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options.tls)
        context.set_alpn_protocols(["http/1.1"])
    server = Server(options, loop)
    listener = await loop.create_server(
        lambda: Connection(server), options.host, options.port, ssl=context, backlog=4096)
    print("ready", listener.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    listener.close()
    if server.log:
        server.log.close()
    print(server.truth_line(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
