"""How far the median that a benchmark reports varies from run to run: ``toolkit bench`` beside others, in one run.

Each round runs every tool once, in random order, on the shipped CNN in float32: ``toolkit bench`` as it is by default,
``toolkit bench --thorough``, LiteRT's own ``litert-benchmark``, OpenVINO's ``benchmark_app`` (the ONNX of the same
net) and a bare loop around LiteRT's interpreter, and a loop of a fixed number of additions: how much that varies is how
much the machine does. The last three take the ten seconds that ``--thorough`` measures. One thread, one image.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROUNDS = 20
# What `toolkit bench --thorough` measures of each artifact.
SECONDS = 10
BIN = Path(sys.executable).parent
TFLITE, ONNX = Path("exported/cnn/cnn-float32.tflite"), Path("exported/cnn/cnn-float32.onnx")
JUDGED, MACHINE = "toolkit bench --thorough", "additions"
# Most that the medians may vary, and that their middle may lie from the bare loop's.
MOST_VARIATION, MOST_DIFFERENCE = 0.015, 0.03
BARE_LOOP = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[2], num_threads=1)
interpreter.allocate_tensors()
given = interpreter.get_input_details()[0]
interpreter.set_tensor(given["index"], np.random.default_rng(0).random(given["shape"], np.float32))
for _ in range(1000):
    interpreter.invoke()
samples = []
end = time.perf_counter_ns() + int(sys.argv[1]) * 1_000_000_000
while time.perf_counter_ns() < end:
    start = time.perf_counter_ns()
    interpreter.invoke()
    samples.append(time.perf_counter_ns() - start)
print(np.median(samples) / 1e9)
"""
ADDITIONS = """
import sys, time
samples = []
end = time.perf_counter_ns() + int(sys.argv[1]) * 1_000_000_000
while time.perf_counter_ns() < end:
    start = time.perf_counter_ns()
    total = 0
    for number in range(10_000):
        total += number
    samples.append(time.perf_counter_ns() - start)
print(sorted(samples)[len(samples) // 2] / 1e9)
"""


def output_of(*command: object) -> str:
    return subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout


def toolkit_bench(*options: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        text = output_of(BIN / "toolkit", "bench", TFLITE, *options, "--json", "--output", folder)
    return float(json.loads(text)["results"][0]["median_s"])


def litert_benchmark() -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        output_of(BIN / "litert-benchmark", "--model", TFLITE, "--result_json", file.name)
        return float(json.loads(Path(file.name).read_text())["latency"]["median_ms"]) / 1e3


def benchmark_app() -> float:
    settings = ("-d", "CPU", "-api", "sync", "-hint", "none", "-nthreads", 1, "-shape", "[1,28,28,1]")
    text = output_of(BIN / "benchmark_app", "-m", ONNX, *settings, "-t", SECONDS)
    value, unit = re.search(r"Median: +([0-9.]+) (ms|us)", text).groups()
    return float(value) * {"ms": 1e-3, "us": 1e-6}[unit]


def bare_loop() -> float:
    return float(output_of(sys.executable, "-c", BARE_LOOP, SECONDS, TFLITE))


def additions() -> float:
    return float(output_of(sys.executable, "-c", ADDITIONS, SECONDS))


def main() -> int:
    tools: dict[str, Callable[[], float]] = {
        "toolkit bench": toolkit_bench,
        JUDGED: lambda: toolkit_bench("--thorough"),
        "litert-benchmark": litert_benchmark,
        "benchmark_app": benchmark_app,
        "bare loop": bare_loop,
        MACHINE: additions,
    }
    medians: dict[str, list[float]] = {name: [] for name in tools}
    took_s = dict.fromkeys(tools, 0.0)
    order = random.Random(0)
    for _ in range(ROUNDS):
        for name in order.sample(list(tools), len(tools)):
            began = time.monotonic()
            medians[name].append(tools[name]())
            took_s[name] += (time.monotonic() - began) / ROUNDS
    variation = {name: float(np.std(values, ddof=1) / np.mean(values)) for name, values in medians.items()}
    print(f"the median that each reports, {ROUNDS} runs in turns")
    for name, values in medians.items():
        low, middle, high = np.array([min(values), np.median(values), max(values)]) * 1e6
        print(
            f"  {name:24}  {middle:6.1f} µs ({low:.1f} to {high:.1f}), coefficient of variation {variation[name]:.1%}, "
            f"{took_s[name]:.1f} s a run"
        )
    own = variation[JUDGED]
    others = [variation[name] for name in tools if name != MACHINE and "toolkit" not in name]
    off = np.median(medians[JUDGED]) / np.median(medians["bare loop"]) - 1
    required = {
        f"{JUDGED} varies least": own < min(others),
        f"by at most {MOST_VARIATION:.1%}": own <= MOST_VARIATION,
        f"off the bare loop by at most {MOST_DIFFERENCE:.0%} ({off:+.1%})": abs(off) <= MOST_DIFFERENCE,
    }
    for what, holds in required.items():
        print(f"{what}: {holds}")
    return int(not all(required.values()))


if __name__ == "__main__":
    sys.exit(main())
