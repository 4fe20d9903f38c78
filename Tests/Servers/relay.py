#!/usr/bin/env python3
"""A relay between a client and a server on loopback, for tests: terminates TLS, or is an HTTP proxy
that grants tunnels, and misbehaves as told. Prints its port, then works until it is ended."""

import argparse
import base64
import socket
import ssl
import struct
import sys
import threading

arguments = argparse.ArgumentParser()
arguments.add_argument("--to", type=int, help="port to relay to; a proxy takes the client's word")
arguments.add_argument("--certificate", help="terminates TLS with this chain")
arguments.add_argument("--key")
arguments.add_argument("--tls-max", choices=["1.0", "1.1", "1.2", "1.3"], default="1.3")
arguments.add_argument("--proxy", action="store_true", help="answers CONNECT")
arguments.add_argument("--user", help="user:password that a proxy wants")
arguments.add_argument("--refuse", type=int, help="status that a proxy answers")
arguments.add_argument("--cut", type=int, help="bytes of answers after which it hangs up, no goodbye")
arguments.add_argument("--no-goodbye", action="store_true", help="TLS ends without close_notify")
options = arguments.parse_args()

context = None
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if options.tls_max in ("1.0", "1.1"):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = {
        "1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
        "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[options.tls_max]
    context.load_cert_chain(options.certificate, options.key)
    context.set_alpn_protocols(["http/1.1"])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def tunnel(client):
    """The server that a proxy's client asks for, or nothing."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece:
            return None
        head += piece
    lines = head.decode().split("\r\n")
    verb, target, _ = lines[0].split(" ")
    if options.refuse:
        client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 3\r\n\r\nno\n" % options.refuse)
        return None
    if options.user:
        wanted = "Proxy-Authorization: Basic " + base64.b64encode(options.user.encode()).decode()
        if wanted not in lines:
            client.sendall(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")
            return None
    assert verb == "CONNECT", head
    host, port = target.rsplit(":", 1)
    server = socket.create_connection((host.strip("[]"), int(port)))
    # Headers that a granted tunnel may carry and that mean nothing.
    client.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: relay\r\n\r\n")
    return server


def copy(source, target, limit=None):
    moved = 0
    try:
        while True:
            piece = source.recv(65536)
            if not piece:
                break
            if limit is not None and moved + len(piece) >= limit:
                target.sendall(piece[: limit - moved])
                break
            target.sendall(piece)
            moved += len(piece)
    except (OSError, ssl.SSLError):
        pass
    for end in (source, target):
        try:
            if isinstance(end, ssl.SSLSocket) and limit is None and not options.no_goodbye:
                end = end.unwrap()
            end.shutdown(socket.SHUT_RDWR)
        except (OSError, ssl.SSLError, ValueError):
            pass


def serve(client):
    try:
        if options.proxy:
            server = tunnel(client)
        else:
            if context:
                client = context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", options.to))
    except (OSError, ssl.SSLError, AssertionError, ValueError) as error:
        print(error, file=sys.stderr, flush=True)
        server = None
    if server is None:
        client.close()
        return
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    copy(server, client, options.cut)


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
