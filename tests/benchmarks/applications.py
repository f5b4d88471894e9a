"""Seconds of an export, into all six files, of networks of keras.applications at 96×96 and at 224×224 pixels.

Their weights are random, and learn a few steps from a few photos; int8 is calibrated on as many of 500 photos as it is
unless something else is asked for. The exit code is 1 if an export takes more than 3 minutes or lacks a file. An
argument is the name of one network.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.many_photos import make_photos
from toolkit import extras

# The range of pixels that a network takes, where no layer of it says so.
NETWORKS = {"MobileNetV2": "-1..1", "MobileNetV3Small": None, "EfficientNetB0": None}
SIDES = (96, 224)
FEW, PHOTOS = 60, 700
FILES = 6
MOST_S = 180


def toolkit(*arguments, folder):
    """Run a verb in the folder; return its JSON document and how long it took."""
    command = [sys.executable, "-m", "toolkit", *map(str, arguments), "--json"]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout), time.perf_counter() - start


def measure(name, side, folder):
    """Return the seconds of an export, and how many files came of it."""
    model, size = folder / f"{name}-{side}.keras", f"{side}x{side}"
    keras = extras.load("keras")
    getattr(keras.applications, name)(input_shape=(side, side, 3), weights=None, classes=3).save(model)
    said = ["--input-range", NETWORKS[name]] if NETWORKS[name] else []
    learned = ("--epochs", 1, "--batch-size", 16, "--name", model.stem, "--device", "cpu")
    toolkit("train", "--model", model, "--data", "few", "--image-size", size, *said, *learned, folder=folder)
    shutil.copyfile(folder / "runs" / model.stem / "best.keras", model)
    document, seconds = toolkit("export", model, "--data", "photos", "--image-size", size, *said, folder=folder)
    return seconds, len(document["artifacts"])


def main():
    wrong = []
    with tempfile.TemporaryDirectory(prefix="applications-") as scratch:
        folder = Path(scratch)
        for data, count in (("few", FEW), ("photos", PHOTOS)):
            make_photos(folder / data, count)
        for name in sys.argv[1:] or NETWORKS:
            for side in SIDES:
                seconds, files = measure(name, side, folder)
                print(f"{name} at {side}×{side}: {files} files in {seconds:.0f} s", flush=True)
                wrong += [f"{name} at {side}×{side}"] if seconds > MOST_S or files < FILES else []
    if wrong:
        raise SystemExit(f"more than {MOST_S} s, or fewer than {FILES} files: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
