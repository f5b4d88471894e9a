"""Try the settings of an artifact's runtime beside the usual ones: which of them is surely faster here?"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from toolkit import host
from toolkit.bench import alternating, settings
from toolkit.bench.alternating import Alternated, SideWorkers
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.measure import END_TO_END
from toolkit.bench.pairs import Pairs
from toolkit.bench.plan import Plan
from toolkit.bench.record import Record
from toolkit.bench.tuned import TriedSetting, Tuned
from toolkit.errors import ArtifactError, UsageError, WorkerFailedError
from toolkit.step import OnStep, ignore

# How far the outputs of two settings may differ: kernels add the same products in different orders (docs/cpus.md).
ALIKE = 1e-4
# How many times as long as with the usual ones an inference may take for a setting to be timed: the blocks of a slower
# one would leave the others little time.
HOPELESS = 2


def require_latencies() -> None:
    """Raise UsageError where no setting can be timed: this machine is emulated."""
    if host.describe().emulated:
        raise UsageError("this machine is emulated, its times are no latencies: no settings can be tried here")


def tune(candidate: Candidate, plan: Plan, *, on_step: OnStep = ignore) -> Tuned:
    """Time an artifact with each setting of its runtime beside itself with the usual ones, input and output counted.

    One thread and one image, in as many processes as a comparison of two files has. What answers differently, or is far
    slower, is no choice. Raises ArtifactError if the artifact cannot be run as usual.
    """
    usual = Configuration(candidate, 1, 1)
    names = [setting.name for setting in settings.for_runtime(candidate.runtime)]
    left_out = _left_out(usual, names)
    sides = [usual, *(replace(usual, setting=name) for name in names if name not in left_out)]
    doing = f"{candidate.path.name}: trying {len(sides) - 1} settings, "
    timed = len(sides) > 1
    processes = alternating.in_rounds(sides, plan, on_step=on_step, doing=doing, kind=END_TO_END) if timed else []
    tried = tuple(_tried(side, place, processes) for place, side in enumerate(sides[1:], 1))
    return Tuned(tried, left_out)


def _left_out(usual: Configuration, names: Sequence[str]) -> dict[str, str]:
    """Return the settings that need not be timed beside the usual ones, and why."""
    if not names:
        return {}
    sides = [usual, *(replace(usual, setting=name) for name in names)]
    with closing(SideWorkers(sides, None, END_TO_END)) as workers:
        workers.open(0)
        whys = {name: _no_choice(workers, place) for place, name in enumerate(names, 1)}
    return {name: why for name, why in whys.items() if why}


def _no_choice(workers: SideWorkers, place: int) -> str | None:
    try:
        workers.open(place)
    except WorkerFailedError:
        raise
    except ArtifactError as error:
        return f"it cannot be opened so: {error}"
    if not np.allclose(workers.answers(place), workers.answers(0), rtol=ALIKE, atol=ALIKE):
        return "it answers differently"
    if workers.typical_ns[place] > HOPELESS * workers.typical_ns[0]:
        return f"it takes over {HOPELESS} times as long"
    return None


def _tried(side: Configuration, place: int, processes: Sequence[Alternated]) -> TriedSetting:
    setting = settings.get(side.candidate.runtime, str(side.setting))
    logarithms = Pairs.from_processes([one.pairs(0, place) for one in processes]).logarithms
    return TriedSetting(setting.name, setting.line, tuple(logarithms.tolist()))


def add(
    record: Record,
    candidates: Sequence[Candidate],
    plan: Plan,
    *,
    warn: Callable[[str], None],
    on_step: OnStep = ignore,
) -> None:
    """Tune each candidate that has a result, whatever its threads and batch, and save the record.

    warn: told why one cannot be tuned. Ctrl-C keeps those that were.
    """
    measured = {result.path for result in record.results}
    try:
        for candidate in candidates:
            if candidate.path not in measured:
                continue
            try:
                record.tuned[candidate.path] = tune(candidate, plan, on_step=on_step)
            except ArtifactError as error:
                warn(str(error))
    except KeyboardInterrupt:
        record.interrupted = True
    record.save()
