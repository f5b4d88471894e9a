"""What the worker costs: ``verify`` of the shipped artifacts and ``predict`` of one image, in a worker and without one.

Processes of both kinds take turns. What runs without one opens its sessions itself, which is all that differs.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

HERE = """
from contextlib import contextmanager
from types import SimpleNamespace

import toolkit.parity.verify, toolkit.prediction
from toolkit import runtimes

@contextmanager
def here():
    yield SimpleNamespace(open_session=runtimes.open_session)

toolkit.parity.verify.contained = toolkit.prediction.contained = here
"""
MAIN = "from toolkit.cli import main; main()"
TURNS = 7
MOST_TIMES, MOST_MORE_S = 1.1, 0.3


def medians(arguments: list[str]) -> tuple[float, float]:
    """Return the median seconds of a command with a worker and without."""
    taken: dict[str, list[float]] = {MAIN: [], HERE + MAIN: []}
    for turn in range(1 + TURNS):
        for program, seconds in taken.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
            if turn:  # the first fills caches
                seconds.append(time.perf_counter() - start)
    with_worker, without = (statistics.median(seconds) for seconds in taken.values())
    return with_worker, without


def main() -> int:
    """Print both, and say with the exit code whether they are as required."""
    with tempfile.TemporaryDirectory() as scratch:
        digit = Path(scratch) / "digit.png"
        Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(digit)
        verify, plainly = medians(["verify", "exported"])
        predict, predict_plainly = medians(["predict", str(digit), "--model", "exported/cnn/cnn-int8.tflite"])
    times, more_s = verify / plainly, predict - predict_plainly
    print(f"verify: {verify:.2f} s in a worker, {plainly:.2f} s without: ratio {times:.2f} (at most {MOST_TIMES})")
    print(f"predict: {predict:.2f} s in a worker, {more_s:.2f} s more than without (at most {MOST_MORE_S})")
    return 0 if times <= MOST_TIMES and more_s <= MOST_MORE_S else 1


if __name__ == "__main__":
    sys.exit(main())
