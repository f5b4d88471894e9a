"""How far the figures that a benchmark reports vary from run to run: ``toolkit bench`` beside others, in one run.

Each round runs every tool once, in random order, on the shipped CNN in float32: ``toolkit bench`` as it is by default
(its median and its floor) and ``--thorough``, LiteRT's own ``litert-benchmark``, OpenVINO's ``benchmark_app`` (the ONNX
of the same net), whole processes one after the other as hyperfine times them, a bare loop around LiteRT's interpreter,
and a loop of a fixed number of additions: how much that varies is how much the machine does. The last take the ten
seconds that ``--thorough`` measures. One thread, one image.

``toolkit compare`` times the same file beside a copy of it: what it says is 1 if nothing is wrong. For the others two
runs make such a comparison. ``--tools toolkit`` runs those alone whose name has the word.
"""

import argparse
import json
import math
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
JUDGED, MACHINE, BARE, COMPARE = (
    "toolkit bench: floor",
    "additions",
    "bare loop",
    "toolkit compare, a file and its copy",
)
# Most that the floor may vary, and that the median may lie from the bare loop's.
MOST_VARIATION, MOST_DIFFERENCE = 0.015, 0.03
# Processes and inferences of what is timed as hyperfine does.
RUNS, INFERENCES = 10, 5000
LOADED = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[2], num_threads=1)
interpreter.allocate_tensors()
given = interpreter.get_input_details()[0]
interpreter.set_tensor(given["index"], np.random.default_rng(0).random(given["shape"], np.float32))
"""
BARE_LOOP = (
    LOADED
    + """
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
)
WHOLE_PROCESS = (
    LOADED
    + """
for _ in range(int(sys.argv[1])):
    interpreter.invoke()
"""
)
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
Figures = dict[str, float]


def output_of(*command: object) -> str:
    return subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout


def toolkit_bench(*options: str) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        text = output_of(BIN / "toolkit", "bench", TFLITE, *options, "--json", "--output", folder)
    (result,) = json.loads(text)["results"]
    return {"median": float(result["median_s"]), "floor": float(result["floor_s"])}


def toolkit_compare() -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.tflite"
        copy.write_bytes(TFLITE.read_bytes() + bytes(16))  # another digest, and the same model
        text = output_of(BIN / "toolkit", "compare", TFLITE, copy, "--tolerance", "100", "--json")
    (found,) = json.loads(text)["compared"]
    return {"": float(found["speedup"])}


def litert_benchmark() -> Figures:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        output_of(BIN / "litert-benchmark", "--model", TFLITE, "--result_json", file.name)
        return {"": float(json.loads(Path(file.name).read_text())["latency"]["median_ms"]) / 1e3}


def benchmark_app() -> Figures:
    settings = ("-d", "CPU", "-api", "sync", "-hint", "none", "-nthreads", 1, "-shape", "[1,28,28,1]")
    text = output_of(BIN / "benchmark_app", "-m", ONNX, *settings, "-t", SECONDS)
    value, unit = re.search(r"Median: +([0-9.]+) (ms|us)", text).groups()
    return {"": float(value) * {"ms": 1e-3, "us": 1e-6}[unit]}


def whole_processes() -> Figures:
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        output_of(sys.executable, "-c", WHOLE_PROCESS, INFERENCES, TFLITE)
        taken.append(time.perf_counter() - began)
    return {"": float(np.mean(taken)) / INFERENCES}


def bare_loop() -> Figures:
    return {"": float(output_of(sys.executable, "-c", BARE_LOOP, SECONDS, TFLITE))}


def additions() -> Figures:
    return {"": float(output_of(sys.executable, "-c", ADDITIONS, SECONDS))}


TOOLS: dict[str, Callable[[], Figures]] = {
    "toolkit bench": toolkit_bench,
    "toolkit bench --thorough": lambda: toolkit_bench("--thorough"),
    COMPARE: toolkit_compare,
    "litert-benchmark": litert_benchmark,
    "benchmark_app": benchmark_app,
    f"{RUNS} whole processes": whole_processes,
    BARE: bare_loop,
    MACHINE: additions,
}


def measured(tools: list[str], rounds: int) -> dict[str, list[float]]:
    """Return what each tool reported in each round, by tool and figure."""
    figures: dict[str, list[float]] = {}
    took_s = dict.fromkeys(tools, 0.0)
    order = random.Random(0)
    for _ in range(rounds):
        for name in order.sample(tools, len(tools)):
            began = time.monotonic()
            for figure, value in TOOLS[name]().items():
                figures.setdefault(f"{name}: {figure}" if figure else name, []).append(value)
            took_s[name] += (time.monotonic() - began) / rounds
    print(", ".join(f"{name} {seconds:.1f} s a run" for name, seconds in took_s.items()))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default="", help="only those whose name has this word")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    figures = measured([name for name in TOOLS if arguments.tools in name], arguments.rounds)
    variation = {name: float(np.std(values, ddof=1) / np.mean(values)) for name, values in figures.items()}
    print(f"what each reports, {arguments.rounds} runs in turns")
    for name, values in sorted(figures.items()):
        scale, unit = (1, "") if name == COMPARE else (1e6, " µs")
        low, middle, high = np.array([min(values), np.median(values), max(values)]) * scale
        # Two runs of one tool make a comparison, and its variation is greater by √2; one of `compare` is one.
        told = 1.96 * variation[name] * (1 if name == COMPARE else math.sqrt(2))
        print(
            f"  {name:38}  {middle:7.4g}{unit} ({low:.4g} to {high:.4g}), coefficient of variation "
            f"{variation[name]:.1%}; the same file seems to differ by up to {told:.1%}"
        )
    if arguments.tools:
        return 0
    peers = [value for name, value in variation.items() if name != MACHINE and "toolkit" not in name]
    off = np.median(figures["toolkit bench --thorough: median"]) / np.median(figures[BARE]) - 1
    required = {
        f"{JUDGED} varies least": variation[JUDGED] < min(peers),
        f"by at most {MOST_VARIATION:.1%}": variation[JUDGED] <= MOST_VARIATION,
        f"the median is off the bare loop by at most {MOST_DIFFERENCE:.0%} ({off:+.1%})": abs(off) <= MOST_DIFFERENCE,
    }
    for what, holds in required.items():
        print(f"{what}: {holds}")
    return int(not all(required.values()))


if __name__ == "__main__":
    sys.exit(main())
