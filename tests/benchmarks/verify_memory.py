"""Peak memory of `toolkit verify` over 10,000 and over 500,000 images that are streamed from the disk.

The images are the digits of the sample, moved and with noise. The first run of each computes the Keras reference, the
second takes it from the cache.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from toolkit import data
from toolkit.data.base import idx_header

ROWS = (10_000, 500_000)
SHIFTS = 3
NOISE = 32


def write_idx(path, rows, labels_path, sample, seed):
    """Write augmented digits and their labels, some at a time."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as images, labels_path.open("wb") as labels:
        images.write(idx_header((rows, 28, 28)))
        labels.write(idx_header((rows,)))
        for start in range(0, rows, 5000):
            chosen = rng.integers(0, len(sample), min(5000, rows - start))
            moved = np.roll(sample.images[chosen, ..., 0], rng.integers(-SHIFTS, SHIFTS + 1, 2), axis=(1, 2))
            noisy = np.clip(moved + rng.integers(0, NOISE, moved.shape), 0, 255)
            images.write(noisy.astype(np.uint8).tobytes())
            labels.write(sample.labels[chosen].astype(np.uint8).tobytes())


def peak_bytes(folder, cache):
    """Verify in a process of its own; return (peak resident set, seconds)."""
    command = [
        sys.executable,
        "-m",
        "toolkit",
        "verify",
        "exported/mlp",
        "--data",
        str(folder),
        "--margin",
        "100",
        "--json",
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        result = json.loads(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return result["dataset"]["n"], usage.ru_maxrss * 1024, time.perf_counter() - start


def main():
    sample = data.load("sample", warn=print).test
    peaks = {}
    with tempfile.TemporaryDirectory() as scratch:
        for rows in ROWS:
            folder = Path(scratch) / f"digits-{rows}"
            folder.mkdir()
            write_idx(folder / "train-images-idx3-ubyte", 1000, folder / "train-labels-idx1-ubyte", sample, 0)
            write_idx(folder / "t10k-images-idx3-ubyte", rows, folder / "t10k-labels-idx1-ubyte", sample, rows)
            for run in ("computed", "cached"):
                n, peaks[rows, run], seconds = peak_bytes(folder, Path(scratch) / "cache")
                print(
                    f"{n:,} images, reference {run}: peak {peaks[rows, run] / 1e6:.0f} MB, {seconds:.1f} s", flush=True
                )
    for run in ("computed", "cached"):
        small, large = (peaks[rows, run] for rows in ROWS)
        print(f"reference {run}: {large / small:.3f} times the memory for 50 times the images")


if __name__ == "__main__":
    main()
