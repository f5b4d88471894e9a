"""Compare each artifact of a benchmark with its float32 original, beside it in one process, round by round."""

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.bench import alternating
from toolkit.bench.configuration import Configuration, Measured
from toolkit.bench.progress import PAIR, BenchProgress
from toolkit.errors import ArtifactError

# Processes of a round: the second opens the artifacts in the reverse order of the first.
PROCESSES = 2
# Seconds that one round of an artifact takes besides measuring it, until one was timed.
EXPECTED_S = 0.5


def groups(configurations: Sequence[Configuration]) -> dict[Configuration, list[Configuration]]:
    """Return by float32 configuration what is compared with it."""
    compared: dict[Configuration, list[Configuration]] = {}
    for one in configurations:
        reference = one.baseline(configurations)
        if reference is not None:
            compared.setdefault(reference, []).append(one)
    return compared


def measure(
    groups: Mapping[Configuration, Sequence[Configuration]],
    measured: Mapping[Configuration, Measured],
    failed: Mapping[Configuration, ArtifactError],
    progress: BenchProgress,
    *,
    seconds: float,
    rng: np.random.Generator,
) -> None:
    """Measure one round. seconds: of measuring each artifact in all processes of the round.

    If an artifact cannot be opened beside its original, what was measured of it before is kept, with a note.
    """
    for reference, candidates in groups.items():
        sides = [reference, *(one for one in candidates if one not in failed)]
        if reference in failed or len(sides) == 1:
            continue
        try:
            processes = alternating.twice(sides, seconds=seconds / PROCESSES, rng=rng)
        except ArtifactError as error:
            for one in sides[1:]:
                measured[one].apart = str(error)
            continue
        finally:
            for one in sides[1:]:
                progress.did(PAIR, one)
        for place, one in enumerate(sides[1:], 1):
            measured[one].pairs += [process.pairs(0, place) for process in processes]
