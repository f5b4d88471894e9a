"""Peak memory of `toolkit train`, `export` and `verify` on a folder of 100,000 photos of 96×96 pixels, in colour.

The photos are made here, each another one, in a temporary folder; decoded they take 2.8 GB. At each moment the resident
sets of a verb and of all processes that it started are added up: pages that they share count several times. The exit
code is 1 if that is ever more than 2 GB. An argument is another number of photos.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS, SIDE = 100_000, 96
CLASSES = {"blue": (60, 80, 190), "green": (60, 180, 80), "red": (190, 70, 60)}
MOST_BYTES = 2e9
# Seconds between two looks at the memory.
LOOK_S = 0.05
# Pixels of a side of the patches of one colour that a photo is made of.
PATCH = 8


def make_photos(folder, count):
    """Write so many photos, a class after the other: patches around the colour of the class, as JPEG."""
    rng = np.random.default_rng(0)
    for label, (name, colour) in enumerate(CLASSES.items()):
        (folder / name).mkdir(parents=True)
        for number in range(label, count, len(CLASSES)):
            patches = np.clip(rng.normal(colour, 40, (SIDE // PATCH, SIDE // PATCH, 3)), 0, 255).astype(np.uint8)
            photo = Image.fromarray(patches).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            photo.save(folder / name / f"{number}.jpg")


def tree_bytes(root):
    """Return the resident bytes of a process and of all that it started."""
    parents, resident = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            parents[int(entry.name)], resident[int(entry.name)] = int(fields[1]), int(fields[21])
    tree = {root}
    while found := {process for process, parent in parents.items() if parent in tree} - tree:
        tree |= found
    return sum(resident.get(process, 0) for process in tree) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes(*arguments, folder):
    """Run a verb in the folder, with a cache of its own there; return the peak of its processes together."""
    command = [sys.executable, "-m", "toolkit", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    peak, start = 0, time.perf_counter()
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        while process.poll() is None:
            peak = max(peak, tree_bytes(process.pid))
            time.sleep(LOOK_S)
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"toolkit {' '.join(map(str, arguments))}: exit code {process.returncode}\n{said.read()}")
    print(f"toolkit {arguments[0]}: peak {peak / 1e6:.0f} MB, {time.perf_counter() - start:.0f} s", flush=True)
    return peak


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PHOTOS
    with tempfile.TemporaryDirectory(prefix="many-photos-") as scratch:
        folder = Path(scratch)
        make_photos(folder / "photos", count)
        print(f"{count:,} photos of {SIDE}×{SIDE} pixels, {count * SIDE * SIDE * 3 / 1e6:,.0f} MB decoded", flush=True)
        verbs = (
            ("train", "--data", "photos", "--model", "tiny:width=4,depth=3", "--epochs", 1, "--name", "many"),
            ("export", "many", "--format", "tflite", "--quantize", "float32,int8"),
            ("verify", "exported/tiny", "--data", "photos", "--margin", 100),
        )
        peak = max(peak_bytes(*verb, folder=folder) for verb in verbs)
    if peak > MOST_BYTES:
        raise SystemExit(f"{peak / 1e6:.0f} MB are more than {MOST_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
