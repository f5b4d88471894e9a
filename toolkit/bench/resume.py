"""Go on with a benchmark that ended early: which of its processes are missing, and how two parts become one record."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from toolkit import host
from toolkit.bench import passing_on
from toolkit.bench.pairs import Pairs
from toolkit.bench.plan import Plan
from toolkit.bench.record import Record
from toolkit.bench.result import PAIRED, Result
from toolkit.bench.statistics import Blocks
from toolkit.errors import ArtifactError, UsageError


def rounds(record: Record) -> int:
    """Return how many processes of each configuration a record holds."""
    return max((len(result.invoke.lengths) for result in record.results), default=0)


def rest(earlier: Record, plan: Plan) -> Plan:
    """Return the plan of what a record lacks of ``plan``; UsageError if it lacks nothing."""
    done = rounds(earlier)
    missing = plan.processes - done
    if missing < 1:
        raise UsageError(f"{earlier.folder}: all {done} processes of each were measured; nothing is left to resume")
    # Each process measures as long as it would have, in another order of turns.
    return replace(plan, processes=missing, seconds=plan.seconds * missing / plan.processes, seed=plan.seed + done)


def join(earlier: Record, later: Record) -> Record:
    """Return both parts as one record in the folder of the first, its samples saved there.

    ArtifactError if they are not of one machine, one set of versions, or the same artifacts and configurations.
    """
    if host.differences(earlier.host.to_json(), later.host.to_json()) or earlier.versions != later.versions:
        raise ArtifactError(f"{earlier.folder}: was measured on another machine, or with other versions; measure anew")
    before, after = _by_key(earlier), _by_key(later)
    if later.results and before.keys() != after.keys():
        raise ArtifactError(
            f"{earlier.folder}: holds other artifacts or configurations than were measured now; measure anew"
        )
    results = [_joined((result, after[key])) if key in after else result for key, result in before.items()]
    for result in results:
        result.write_samples(earlier.folder)
    return replace(
        later,
        folder=earlier.folder,
        started=earlier.started,
        seconds=earlier.seconds,
        before=earlier.before,
        results=results,
    )


def _by_key(record: Record) -> dict[tuple[Path, str | None, str, int, int, int], Result]:
    """Return the results by what they are of, artifacts called as in a record that was written."""
    names = passing_on.names(result.path for result in record.results)
    return {_key(result, names[result.path]): result for result in record.results}


def _key(result: Result, name: Path) -> tuple[Path, str | None, str, int, int, int]:
    turns = result.invoke.lengths.shape[1]
    return name, result.sha256, result.runtime, result.threads, result.batch, turns


def _joined(parts: tuple[Result, Result]) -> Result:
    first, second = parts
    paced = [part.paced for part in parts if part.paced is not None]
    return replace(
        first,
        invoke=_appended([part.invoke for part in parts]),
        end_to_end=_appended([part.end_to_end for part in parts]),
        paced=_appended(paced) if len(paced) == len(parts) else None,
        opened=tuple(opened for part in parts for opened in part.opened),
        pairs=_paired([part.pairs for part in parts if part.pairs is not None]),
        marks=(*first.marks, *(replace(mark, process=mark.process + len(first.opened)) for mark in second.marks)),
    )


def _appended(parts: Sequence[Blocks]) -> Blocks:
    return Blocks(np.concatenate([p.samples for p in parts]), np.concatenate([p.lengths for p in parts]))


def _paired(parts: Sequence[Pairs]) -> Pairs | None:
    if not parts:
        return None
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in PAIRED))
