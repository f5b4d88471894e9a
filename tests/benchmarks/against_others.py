"""How far the median that a benchmark reports varies from run to run: ``toolkit bench`` beside others, in one run.

Each round runs every tool once, in random order, on the shipped CNN in float32: LiteRT's own ``litert-benchmark``,
OpenVINO's ``benchmark_app`` (the ONNX of the same net, for as long as ``toolkit bench`` takes), a bare loop around
LiteRT's interpreter for the second that ``toolkit bench`` measures, and as long a loop of a fixed number of additions:
how much that varies is how much the machine does. One thread, one image.
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
BIN = Path(sys.executable).parent
TFLITE, ONNX = Path("exported/cnn/cnn-float32.tflite"), Path("exported/cnn/cnn-float32.onnx")
# Most that the medians may vary, and that their middle may lie from the bare loop's.
MOST_VARIATION, MOST_DIFFERENCE = 0.015, 0.03
BARE_LOOP = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
given = interpreter.get_input_details()[0]
interpreter.set_tensor(given["index"], np.random.default_rng(0).random(given["shape"], np.float32))
for _ in range(1000):
    interpreter.invoke()
samples = []
end = time.perf_counter_ns() + 1_000_000_000
while time.perf_counter_ns() < end:
    start = time.perf_counter_ns()
    interpreter.invoke()
    samples.append(time.perf_counter_ns() - start)
print(np.median(samples) / 1e9)
"""
ADDITIONS = """
import time
samples = []
end = time.perf_counter_ns() + 1_000_000_000
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


def toolkit_bench() -> float:
    with tempfile.TemporaryDirectory() as folder:
        text = output_of(BIN / "toolkit", "bench", TFLITE, "--json", "--output", folder)
    return float(json.loads(text)["results"][0]["median_s"])


def litert_benchmark() -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        output_of(BIN / "litert-benchmark", "--model", TFLITE, "--result_json", file.name)
        return float(json.loads(Path(file.name).read_text())["latency"]["median_ms"]) / 1e3


def benchmark_app(seconds: float) -> float:
    settings = ("-d", "CPU", "-api", "sync", "-hint", "none", "-nthreads", 1, "-shape", "[1,28,28,1]")
    text = output_of(BIN / "benchmark_app", "-m", ONNX, *settings, "-t", max(1, round(seconds)))
    value, unit = re.search(r"Median: +([0-9.]+) (ms|us)", text).groups()
    return float(value) * {"ms": 1e-3, "us": 1e-6}[unit]


def bare_loop() -> float:
    return float(output_of(sys.executable, "-c", BARE_LOOP, TFLITE))


def additions() -> float:
    return float(output_of(sys.executable, "-c", ADDITIONS))


def main() -> None:
    start = time.monotonic()
    toolkit_bench()
    seconds = time.monotonic() - start
    tools: dict[str, Callable[[], float]] = {
        "toolkit bench": toolkit_bench,
        "litert-benchmark": litert_benchmark,
        "benchmark_app": lambda: benchmark_app(seconds),
        "bare loop": bare_loop,
        "additions": additions,
    }
    medians: dict[str, list[float]] = {name: [] for name in tools}
    order = random.Random(0)
    for _ in range(ROUNDS):
        for name in order.sample(list(tools), len(tools)):
            medians[name].append(tools[name]())
    variation = {name: float(np.std(values, ddof=1) / np.mean(values)) for name, values in medians.items()}
    print(f"the median that each reports, {ROUNDS} runs in turns; toolkit bench takes {seconds:.1f} s")
    for name, values in medians.items():
        low, middle, high = np.array([min(values), np.median(values), max(values)]) * 1e6
        print(
            f"  {name:16}  {middle:6.1f} µs ({low:.1f} to {high:.1f}), coefficient of variation {variation[name]:.1%}"
        )
    own = variation.pop("toolkit bench")
    del variation["additions"]
    off = np.median(medians["toolkit bench"]) / np.median(medians["bare loop"]) - 1
    print(f"toolkit bench varies least: {own < min(variation.values())}")
    print(f"by at most {MOST_VARIATION:.1%}: {own <= MOST_VARIATION}")
    print(f"off the bare loop by at most {MOST_DIFFERENCE:.0%}: {abs(off) <= MOST_DIFFERENCE} ({off:+.1%})")


if __name__ == "__main__":
    main()
