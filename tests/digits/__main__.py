"""Draw digits into every scene, have them classified, and write what came out to docs/predict.md: ``make photos``."""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests import robustness
from tests.digits import sources
from tests.digits.measure import measure, render
from tests.digits.scenes import SCENES
from toolkit import data
from toolkit.data import mnist

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "predict.md"
MODEL = ROOT / "exported" / "cnn" / "cnn-float32.onnx"
# Every so many of Debian's DejaVu fonts, which are alike.
EVERY_FONT = 7


def main() -> int:
    """Measure, print and write the page; the exit code is 1 where the digits are not to be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.digits", description=__doc__)
    parser.add_argument("--digits", type=int, default=100, help="of MNIST's test images, and a third as many drawn")
    asked = parser.parse_args()
    if mnist.locate() is None:
        print("the full MNIST is not on this machine: its test images are what the model has not learned from")
        return 1
    test = data.load("mnist", warn=print).test
    rows = np.random.default_rng(5).permutation(len(test.labels))[: asked.digits]
    digits = [
        *sources.mnist(test.images[rows], test.labels[rows]),
        *sources.drawn(np.random.default_rng(3), asked.digits // 3),
        *sources.printed(sorted(sources.FONTS.rglob("*.ttf"))[::EVERY_FONT]),
    ]
    printed = len(digits) - asked.digits - asked.digits // 3
    outcomes = {}
    for scene in SCENES:
        with tempfile.TemporaryDirectory(prefix="photos-") as folder:
            outcomes[scene.name] = measure(scene, digits, MODEL, Path(folder))
        print(scene.name, outcomes[scene.name], flush=True)
    text = (
        f"{render(outcomes)}\n\n"
        f"`{MODEL.name}`; {asked.digits} of MNIST's test images, {asked.digits // 3} digits drawn by strokes and "
        f"{printed} printed ones."
    )
    robustness.write("make photos", text, PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
