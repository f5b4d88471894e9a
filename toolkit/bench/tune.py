"""Try the settings of an artifact's runtime beside the usual ones: which of them is surely faster here?"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from toolkit import manifest
from toolkit.bench import alternating, beside, settings
from toolkit.bench.alternating import Alternated, Table
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.measure import END_TO_END
from toolkit.bench.pairs import Pairs
from toolkit.bench.record import Record
from toolkit.bench.schedule import Plan
from toolkit.bench.tuned import Tried, Tuned
from toolkit.errors import ArtifactError, WorkerFailedError
from toolkit.step import OnStep, Step, ignore

# How far the outputs of two settings may differ: kernels add the same products in different orders (docs/cpus.md).
ALIKE = 1e-4


def tune(candidate: Candidate, plan: Plan, *, on_step: OnStep = ignore) -> Tuned:
    """Time an artifact with each setting of its runtime beside itself with the usual ones, input and output counted.

    One thread and one image, in as many processes as a comparison of two files has. What answers otherwise is no
    choice. Raises ArtifactError if the artifact cannot be run as usual.
    """
    usual = Configuration(candidate, 1, 1)
    sides = [usual, *_choices(usual)]
    rng = np.random.default_rng(plan.seed)
    seconds = plan.seconds / plan.processes / beside.PROCESSES
    processes: list[Alternated] = []
    for done in range(plan.processes if len(sides) > 1 else 0):
        on_step(
            Step(done, plan.processes, f"{candidate.path.name}: trying {len(sides) - 1} settings, round {done + 1}")
        )
        processes += alternating.twice(sides, seconds=seconds, rng=rng, kind=END_TO_END)
    return Tuned(tuple(_tried(side, place, processes) for place, side in enumerate(sides[1:], 1)))


def _choices(usual: Configuration) -> list[Configuration]:
    """Return the artifact with each setting that it can be opened with and answers the same."""
    found = settings.of(usual.candidate.runtime)
    sides = [usual, *(replace(usual, setting=setting.name) for setting in found)]
    table = Table(sides, None, END_TO_END)
    try:
        table.open(0)
        return [side for place, side in enumerate(sides) if place and _answers_alike(table, place)]
    finally:
        table.close()


def _answers_alike(table: Table, place: int) -> bool:
    try:
        table.open(place)
    except WorkerFailedError:
        raise
    except ArtifactError:  # this file is not opened so
        return False
    return np.allclose(table.answers(place), table.answers(0), rtol=ALIKE, atol=ALIKE)


def _tried(side: Configuration, place: int, processes: Sequence[Alternated]) -> Tried:
    setting = settings.get(side.candidate.runtime, str(side.setting))
    logarithms = Pairs.of([one.pairs(0, place) for one in processes]).logarithms
    return Tried(setting.name, setting.line, tuple(logarithms.tolist()))


def add(record: Record, plan: Plan, *, warn: Callable[[str], None], on_step: OnStep = ignore) -> None:
    """Tune each artifact of a record once, whatever its threads and batch, and save the record.

    warn: told why one cannot be tuned. Ctrl-C keeps those that were.
    """
    found = {result.path: result.runtime for result in record.results}
    try:
        for path, runtime in found.items():
            try:
                candidate = Candidate(path, runtime, manifest.listing(path))
                record.tuned[path] = tune(candidate, plan, on_step=on_step)
            except ArtifactError as error:
                warn(str(error))
    except KeyboardInterrupt:
        record.interrupted = True
    record.save()
