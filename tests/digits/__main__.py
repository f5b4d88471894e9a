"""Draw digits into every scene, have them classified, and write what came out to docs/predict.md: ``make photos``."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tests import robustness
from tests.digits import others, sources
from tests.digits.measure import called_none, measure, render, render_others
from tests.digits.scenes import SCENES
from toolkit import data, units
from toolkit.data import mnist
from toolkit.data.base import Split
from toolkit.novelty import NOVELTY

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "predict.md"
MODEL = ROOT / "exported" / "cnn" / "cnn-float32.onnx"
# Every so many of Debian's DejaVu fonts, which are alike.
EVERY_FONT = 7
# Of MNIST's test images, those of which photos tell how often a digit is called none of the digits.
PHOTOS = 2000


def main() -> int:
    """Measure, print and write the page; the exit code is 1 where the digits are not to be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.digits", description=__doc__)
    parser.add_argument("--digits", type=int, default=60, help="of MNIST's test images, and a third as many drawn")
    asked = parser.parse_args()
    if mnist.locate() is None:
        print("the full MNIST is not on this machine: its test images are what the model has not learned from")
        return 1
    test, fonts = data.load("mnist", warn=print).test, sorted(sources.FONTS.rglob("*.ttf"))[::EVERY_FONT]
    rows = np.random.default_rng(5).permutation(len(test.labels))[: asked.digits]
    digits = [
        *sources.mnist(test.images[rows], test.labels[rows]),
        *sources.drawn(np.random.default_rng(3), asked.digits // 3),
        *sources.printed(fonts),
    ]
    printed = len(digits) - asked.digits - asked.digits // 3
    write_others(MODEL, test, fonts)
    with tempfile.TemporaryDirectory(prefix="photos-") as temporary:
        folder = Path(temporary)
        outcomes = {}
        for scene in SCENES:
            outcomes[scene.name] = measure(scene, digits, MODEL, folder)
            print(scene.name, outcomes[scene.name], flush=True)
    text = (
        f"{render(outcomes)}\n\n"
        f"`{MODEL.name}`; {asked.digits} of MNIST's test images, {asked.digits // 3} digits drawn by strokes and "
        f"{printed} printed ones. None of these: digits that are called that ([below](#none-of-these))."
    )
    robustness.write("make photos", text, PAGE)
    return 0


def write_others(model: Path, test: Split, fonts: list[Path]) -> None:
    """Measure, print and write how often the score calls images none of the digits: digits, and others."""
    rows = np.random.default_rng(6).permutation(len(test.labels))[:PHOTOS]
    photos = {
        "MNIST's test images": sources.mnist(test.images[rows], test.labels[rows]),
        "drawn by strokes": sources.drawn(np.random.default_rng(4), PHOTOS // 10),
        "printed": sources.printed(fonts),
    }
    kinds: dict[str, Callable[[], np.ndarray | None]] = {
        "digits: MNIST's test images": lambda: test.images[..., 0],
        **{
            f"digits in photos: {name}": partial(others.forms, (ink for _, ink in digits), np.random.default_rng(8))
            for name, digits in photos.items()
        },
        **others.kinds(np.random.default_rng(7), fonts),
    }
    counts = {}
    for name, make in kinds.items():
        images = make()
        if images is None:
            print(f"{name}: not on this machine (Debian: apt-get install dataset-fashion-mnist)")
            continue
        counts[name] = called_none(model, images), len(images)
        print(name, counts[name], flush=True)
    size = units.size((model.parent / NOVELTY).stat().st_size)
    text = f"{render_others(counts)}\n\n`{MODEL.name}`; `{NOVELTY}` has {size}."
    robustness.write("make photos, others", text, PAGE)


if __name__ == "__main__":
    sys.exit(main())
