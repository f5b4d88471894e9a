"""How many digits of each scene are read right: what ``make photos`` puts on docs/predict.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.digits.scenes import Scene
from toolkit.prediction import Prediction, predict

# A wrong answer with at least this probability is one that nobody would doubt.
SURE = 0.9


@dataclass(frozen=True)
class Outcome:
    """What came out for the digits of one scene."""

    n: int
    right: int
    refused: int
    surely_wrong: int


def measure(scene: Scene, digits: Sequence[tuple[int, np.ndarray]], model: Path, folder: Path) -> Outcome:
    """Draw each digit into the scene, from a seed of its own, save it and have it classified."""
    paths = [path for path, _ in draw(scene, digits, folder)]
    right = refused = surely_wrong = 0
    for (label, _), said in zip(digits, predict(paths, model), strict=True):
        if not isinstance(said, Prediction):
            refused += 1
        elif said.classes[0] == str(label):
            right += 1
        else:
            surely_wrong += said.probabilities[0] >= SURE
    return Outcome(len(paths), right, refused, surely_wrong)


def draw(scene: Scene, digits: Sequence[tuple[int, np.ndarray]], folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the file of each digit, and its label."""
    for row, (label, ink) in enumerate(digits):
        path = folder / f"{scene.draw.__name__}-{row}{scene.suffix}"
        picture = scene.draw(ink, np.random.default_rng(row))
        picture.save(path, **({"exif": picture.info["exif"]} if "exif" in picture.info else {}))
        yield path, label
