"""Requests that make no sense, in real connections: ``python -m tests.serve.malformed 1000``.

Each is a valid request that was damaged, from a seed. Whatever is answered must be a status of HTTP that is no fault of
the server's, and an error must be JSON; after all of them the server must still predict.
"""

import errno
import json
import random
import re
import socket
import sys
from collections import Counter

from tests.serve.conftest import png, seven

STARTS = ("POST /v1/predict", "GET /", "GET /metrics", "PUT /v1/predict", "OPTIONS *", "GET /v1/predict?token=%ff%00")
KINDS = (
    "image/png",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "\x00",
    "image/" + "x" * 1000,
)


def bodies(rng):
    """Return a body: an image or a document, cut, changed, or noise."""
    whole = rng.choice([png(seven()), json.dumps({"pixels": seven().tolist()}).encode(), rng.randbytes(500), b""])
    body = bytearray(whole)
    for _ in range(rng.choice([0, 1, 10])):
        if body:
            body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body[: rng.choice([len(body), len(body) // 2, 1])])


def request(rng):
    """Return the bytes of one request."""
    body = bodies(rng)
    length = rng.choice([len(body)] * 5 + [len(body) + 10, 0, -1, "x", 10**30])
    lines = [f"{rng.choice(STARTS)} HTTP/{rng.choice(['1.1', '1.1', '1.0', '0.9', '3'])}", "Host: localhost"]
    lines += [f"Content-Type: {rng.choice(KINDS)}", f"Content-Length: {length}"]
    if rng.random() < 0.2:
        lines[-1] = "Transfer-Encoding: chunked"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body) + rng.choice([0, 0, 5]), body)
    if rng.random() < 0.2:
        lines.append(f"X: {'y' * rng.choice([10, 70_000])}")
    if rng.random() < 0.2:
        lines.append("Expect: 100-continue")
    head = bytearray(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    for _ in range(rng.choice([0, 0, 0, 1, 5])):
        head[rng.randrange(len(head))] = rng.randrange(256)
    return bytes(head) + body


def answer(port, sent):
    """Send a request, and return all that comes until the connection ends."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                received += piece
        except OSError as error:  # it has refused, and closed the connection, before it had all of it
            if not isinstance(error, ConnectionError) and error.errno != errno.ENOTCONN:
                raise
    return received


def judge(received):
    """Return the statuses of what was answered, none if nothing was; AssertionError if a client could not read it."""
    statuses = []
    while received:  # what follows a request that was too short is another one
        head, _, received = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 "), head[:200]
        status = int(head.split()[1])
        assert 100 <= status < 500 or status == 503, head[:500]
        length = re.search(rb"content-length: (\d+)", head)
        body, received = received[: int(length[1]) if length else 0], received[int(length[1]) if length else 0 :]
        if status >= 400 and body:
            assert json.loads(body)["error"]["status"] == status
        statuses.append(status)
    return statuses


def run(port, count, seed=0):
    """Send so many; return how often each status came."""
    rng = random.Random(seed)
    return Counter(status for _ in range(count) for status in judge(answer(port, request(rng))) or ["cut"])


if __name__ == "__main__":
    from tests.serve.processes import ARTIFACT, served
    from tests.serve.test_server import port_of

    with served(ARTIFACT, "--port", 0) as (_, said):
        found = run(port_of(said), int(sys.argv[1]))
        assert judge(answer(port_of(said), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) == [200]
    sys.stdout.write("".join(f"{status}: {times}\n" for status, times in found.most_common()))
