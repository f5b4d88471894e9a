"""Records of measurements that never happened, so that the figures in them are known."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from toolkit import host
from toolkit.bench.plan import Plan
from toolkit.bench.record import Record
from toolkit.bench.result import Opened, Result
from toolkit.bench.statistics import Blocks
from toolkit.bench.tasks import CHECK

# One process and the fewest blocks.
QUICK = Plan(seconds=0.01, processes=1)
OPENED = Opened(0.1, 0.1, 0.1, 1, 1, 1, True, True)
PROCESSES, TURNS, SAMPLES = 5, 5, 40


def answer(question) -> dict:
    """Return what a worker in which nothing is wrong answers."""
    return {"problem": None, "notes": []} if question["do"] == CHECK else asdict(OPENED)


def record(**host_facts) -> Record:
    """Return an empty record of a machine that is not emulated."""
    return Record(Path("record"), replace(host.describe(), emulated=False, **host_facts), "now", 1.0, {})


def result(median_s, *, path="a.tflite", seed=0, spread=0.001, **facts) -> Result:
    """Return a result whose latencies lie around ``median_s``, ``spread`` of it apart."""
    noise = np.random.default_rng(seed).normal(1, spread, PROCESSES * TURNS * SAMPLES)
    blocks = Blocks(median_s * noise, np.full((PROCESSES, TURNS), SAMPLES))
    made_up = {
        "path": Path(path),
        "size_bytes": 1,
        "sha256": "0" * 64,
        "format": None,
        "quantization": None,
        "parity": None,
        "accuracy": None,
        "runtime": "litert",
        "threads": 1,
        "batch": 1,
        "samples": "s.npz",
        "opened": (OPENED,) * PROCESSES,
        "marks": (),
    }
    return Result(invoke=blocks, end_to_end=blocks, paced=None, **{**made_up, **facts})


def saved(folder, *medians_s) -> Path:
    """Write a record with a result for each median into a folder, with its samples; return the folder."""
    made = record()
    made.folder = folder
    for number, median_s in enumerate(medians_s):
        made.results.append(
            result(median_s, path=f"exported/cnn/{number}.tflite", seed=number, samples=f"{number}.npz")
        )
        made.results[-1].write_samples(folder)
    made.save()
    return folder


def passed_on(record) -> dict:
    """Return the document of a record as it lies on the disk, where it tells no folder."""
    return {**record._to_pass_on().to_json(), "record": record.folder.name}
