"""`toolkit serve` under load: requests at a fixed pace, whatever the answers take; their latency, and the memory.

Each latency counts from the time at which the request was due, so that a slow answer also costs those that wait for it.
Requests that follow each other have images of different classes, so that an answer of another one's image is seen.
Beside the load, every second, a client sends half of a request and stays, one goes away before its answer, and one
sends what is no image. Where the server is slower than the pace, it refuses what is beyond its limits (503). Exit code
1 if the 99th percentile or the memory is not as required, an answer is wrong, or one is refused.

    python tests/benchmarks/serve_load.py --seconds 600          # as required
    python tests/benchmarks/serve_load.py --busy 2               # the same with two cores kept busy
"""

import argparse
import asyncio
import contextlib
import io
import json
import multiprocessing
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ARTIFACT = Path("exported/mlp/mlp-int8.tflite")
OVERLOADED = 503
CONNECTIONS = 32
WARM_UP_S = 10.0
# What is required: 99 % of the answers within this time, and a resident set that grows by no more than this.
MOST_P99_MS, MOST_GROWTH = 50.0, 0.03


def digits():
    """Return a request for each class, by its name: the image of the artifact's golden that it is surest of."""
    with np.load(ARTIFACT.with_name("golden.npz")) as golden:
        images, answers = golden["images"], golden[f"recorded/{ARTIFACT.name}"]
    requests = {}
    for label in range(answers.shape[1]):
        file = io.BytesIO()
        Image.fromarray(images[answers[:, label].argmax(), ..., 0]).save(file, "PNG")
        requests[str(label)] = request(file.getvalue())
    return requests


def request(body):
    head = ("POST /v1/predict HTTP/1.1", "Host: localhost", "Content-Type: image/png", f"Content-Length: {len(body)}")
    return "\r\n".join((*head, "", "")).encode() + body


class Load:
    """Requests over connections that are kept."""

    def __init__(self, port):
        self.port = port
        self.requests = list(digits().items())
        self.latencies_s, self.wrong, self.refused = [], [], 0
        self.idle = asyncio.Queue()

    async def open(self):
        for _ in range(CONNECTIONS):
            self.idle.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))

    async def ask(self, label, sent, due_s):
        reader, writer = await self.idle.get()
        try:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.wrong.append(str(error))
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        else:
            self.latencies_s.append(time.perf_counter() - due_s)
            status, answer = int(head.split()[1]), json.loads(body)
            if status == OVERLOADED:
                self.refused += 1
            elif status != 200 or answer["results"][0]["readings"][0]["class"] != label:
                self.wrong.append(f"{label} was asked: {status} {body.decode()}")
        self.idle.put_nowait((reader, writer))

    async def disturb(self):
        """Be the clients that nobody wants, once a second."""
        sent, held = self.requests[0][1], []
        while True:
            for part, stays in ((sent[: len(sent) // 2], True), (sent, False), (request(b"no image"), False)):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(part)
                await writer.drain()
                if stays:
                    held.append(writer)
                else:
                    writer.close()
            while len(held) > 20:
                held.pop(0).close()
            await asyncio.sleep(1)

    async def run(self, rate, seconds):
        start_s = time.perf_counter()
        asked = []
        for number in range(int(rate * seconds)):
            due_s = start_s + number / rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            label, sent = self.requests[number % len(self.requests)]
            asked.append(asyncio.create_task(self.ask(label, sent, due_s)))
            if number % 1000 == 0:
                asked = [task for task in asked if not task.done()]
        await asyncio.gather(*asked)


def resident_bytes(process):
    """Return the resident sets of a process and of its children, added up."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    status = [Path(f"/proc/{one}/status").read_text() for one in (process, *children)]
    return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024 for text in status)


async def measure(process, port, rate, seconds):
    load = Load(port)
    await load.open()
    disturbing = asyncio.create_task(load.disturb())
    await load.run(rate, WARM_UP_S)
    load.latencies_s.clear()
    load.refused = 0
    before = resident_bytes(process)
    await load.run(rate, seconds)
    after = resident_bytes(process)
    disturbing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await disturbing
    return load, before, after


def spin():
    while True:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--busy", type=int, default=0, help="cores that other processes keep busy")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "toolkit", "serve", str(ARTIFACT), "--port", "0"]
    busy = [multiprocessing.Process(target=spin, daemon=True) for _ in range(asked.busy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = next(int(found[1]) for line in server.stdout if (found := re.search(r"open http://.*:(\d+)/", line)))
            for one in busy:
                one.start()
            load, before, after = asyncio.run(measure(server.pid, port, asked.rate, asked.seconds))
        finally:
            server.kill()
            for one in busy:
                one.kill()
    middle_ms, p99_ms, longest_ms = 1e3 * np.quantile(load.latencies_s, (0.5, 0.99, 1.0))
    growth = after / before - 1
    print(f"{len(load.latencies_s):,} answers, {asked.rate:g} requests a second, {asked.busy} cores kept busy")
    print(f"{load.refused} refused, {len(load.wrong)} wrong", *(text[:200] for text in load.wrong[:3]), sep="\n  ")
    print(f"latency: median {middle_ms:.2f} ms, p99 {p99_ms:.2f} (at most {MOST_P99_MS:g}), longest {longest_ms:.1f}")
    print(f"memory: {before / 1e6:.1f} MB, then {after / 1e6:.1f} MB: {growth:+.1%} (at most {MOST_GROWTH:+.0%})")
    kept = p99_ms <= MOST_P99_MS and growth <= MOST_GROWTH
    return 0 if kept and not load.wrong and not load.refused else 1


if __name__ == "__main__":
    sys.exit(main())
