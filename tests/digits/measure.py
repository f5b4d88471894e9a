"""How many digits of each scene are read right: what ``make photos`` puts on docs/predict.md."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.digits.scenes import Scene
from tests.robustness import as_table
from toolkit import manifest, runtimes, units
from toolkit.novelty import Judge
from toolkit.prediction import Prediction, Refused, predict
from toolkit.study.statistics import share

# A wrong answer with at least this probability is one that nobody would doubt.
SURE = 0.9
# Of a scene that takes long to draw, every so many digits are drawn.
EVERY = 5

Digits = Sequence[tuple[int, np.ndarray]]


@dataclass(frozen=True)
class Outcome:
    """What came out for digits of one scene.

    surely_wrong: of those that are wrong, how many with at least ``SURE``. none: how many are called none of these.
    """

    n: int
    right: int
    refused: int
    surely_wrong: int
    none: int

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.n + other.n,
            self.right + other.right,
            self.refused + other.refused,
            self.surely_wrong + other.surely_wrong,
            self.none + other.none,
        )


def outcome(said: Iterable[Prediction | Refused], labels: Iterable[int]) -> Outcome:
    """Count what was said of digits, against their labels."""
    pairs = list(zip(said, labels, strict=True))
    read = [(one, str(label)) for one, label in pairs if isinstance(one, Prediction)]
    wrong = [one for one, label in read if one.classes[0] != label]
    sure = sum(one.probabilities[0] >= SURE for one in wrong)
    none = sum(one.novelty is not None and one.novelty.none_of_these for one, _ in read)
    return Outcome(len(pairs), len(read) - len(wrong), len(pairs) - len(read), sure, none)


def measure(scene: Scene, digits: Digits, model: Path, folder: Path) -> Outcome:
    """Have each digit classified in a scene of its own."""
    digits = digits[:: EVERY if scene.slow else 1]
    said = predict([draw(scene, ink, row, folder) for row, (_, ink) in enumerate(digits)], model, warn=print)
    return outcome(said, (label for label, _ in digits))


def draw(scene: Scene, ink: np.ndarray, row: int, folder: Path) -> Path:
    """Draw a digit into a scene, by a seed of its own, and return the file that it is saved in."""
    path = folder / f"{scene.draw.__name__}-{row}{scene.suffix}"
    picture = scene.draw(ink, np.random.default_rng(row))
    picture.save(path, **({"exif": picture.info["exif"]} if "exif" in picture.info else {}))
    return path


def render(outcomes: dict[str, Outcome]) -> str:
    """Return the table of the page."""
    headings = (
        "scene",
        "digits",
        "read right",
        "refused",
        f"wrong with a probability of {SURE} or more",
        "none of these",
    )
    total = sum(outcomes.values(), Outcome(0, 0, 0, 0, 0))
    rows = [
        (name, f"{one.n:,}", units.percent(one.right / one.n), str(one.refused), str(one.surely_wrong), str(one.none))
        for name, one in (*outcomes.items(), ("all", total))
    ]
    return as_table(headings, rows)


def called_none(model: Path, images: np.ndarray) -> int:
    """Return how many of the images (N, H, W) are called none of the classes."""
    found, session = manifest.read(model.parent), runtimes.open_session(model)
    session.convention = found.convention
    pixels = images[..., np.newaxis]
    answers = found.convention.probabilities(found.convention.answers(session.predict(pixels)))
    return sum(one.none_of_these for one in Judge(found).judge(pixels, answers))


def render_others(counts: Mapping[str, tuple[int, int]]) -> str:
    """Return the table of what is called none of the classes. counts: how many, and of how many images."""
    headings = ("images", "number", "none of these", "95 % interval")
    rows = []
    for name, (none, n) in counts.items():
        found = share(none, n)
        interval = f"{units.percent(found.low)} to {units.percent(found.high)}"
        rows.append((name, f"{n:,}", units.percent(found.value), interval))
    return as_table(headings, rows)
