"""Open the test set, once: each member of the front is verified, and paired with the model that is to be matched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit import reading, runs
from toolkit.data.base import Dataset
from toolkit.errors import ArtifactError, RunError
from toolkit.export import exporter, sources
from toolkit.files import FileName, documents, write_json
from toolkit.manifest import Artifact, Manifest
from toolkit.parity import against, record, verify
from toolkit.parity.compare import Comparison
from toolkit.search.front import front
from toolkit.search.proof import FRONT, PROOF, Member, Paired, Proof
from toolkit.search.search import Candidate, Search
from toolkit.step import OnStep, Step

INT8 = ("tflite", "int8")
# Where the files of a candidate lie, in its folder.
EXPORTED = "exported"


@dataclass(frozen=True)
class FrontEntry:
    """What ``front.json`` has: what was chosen before the test set was opened."""

    members: tuple[FileName, ...]
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Made:
    """A candidate as an int8 file."""

    candidate: Candidate
    manifest: Manifest
    artifact: Artifact

    @property
    def path(self) -> Path:
        return self.manifest.folder / self.artifact.path


def chosen(search: Search) -> tuple[Candidate, ...]:
    """Return the front, by validation alone: what reaches the accuracy and is beaten by nothing that costs no more."""
    least = search.asked.budgets.min_accuracy or 0.0
    reaching = [one for one in search.finished if one.accuracy >= least]
    return front(reaching, validation_rows=search.data["validation_rows"])


def prove(
    search: Search, dataset: Dataset, rival: Path | None, *, warn: Callable[[str], None], on_step: OnStep
) -> Search:
    """Return the search with its proof, which is written beside the front that it is of.

    rival: the model that the front is compared with. A front that was written before is kept: its test set may have
    been opened. Without one, and without a candidate that reaches the accuracy, the search is returned as it is.
    """
    path = search.folder / FRONT
    if path.is_file():
        names = documents.read(path, FrontEntry, what="a front", error=RunError).members
        left = tuple(search.named(name) for name in names)
    else:
        left = chosen(search)
    steps = 2 * len(left) + 1
    made = []
    for number, one in enumerate(left):
        on_step(Step(number, steps, f"exporting {one.name} to int8"))
        made.append(_export(one, dataset, bool(search.data["overlap"]), warn))
    budgets = search.asked.budgets
    made = [one for one in made if one.artifact.size_bytes <= (budgets.max_size_bytes or float("inf"))]
    if not made:
        return search
    names = tuple(FileName(one.candidate.name) for one in made)
    write_json(path, {"schema": 1, **documents.to_tree(FrontEntry(names))})
    on_step(Step(len(left), steps, f"opening the test set for {len(made)} candidates", is_news=True))
    read_as = reading.from_json(search.data.get("reading", {}), search.folder, error=RunError)
    options = verify.VerifyOptions(
        runs.data_choice(search.data), allow_overlap=bool(search.data["overlap"]), reading=read_as
    )
    verified = record.save_all(
        verify.verify_all([one.path for one in made], options, warn=warn, on_step=_shifted(on_step, len(left), steps))
    )
    beside: Sequence[Comparison | None] = [None] * len(made)
    if rival is not None:
        beside = against.verify_against([one.path for one in made], rival, lambda: dataset, warn=warn).comparisons
    proof = _proof(search, made, verified.comparisons, beside, rival)
    write_json(search.folder / PROOF, {"schema": 1, **documents.to_tree(proof)})
    return replace(search, proof=proof)


def _export(one: Candidate, dataset: Dataset, allow_overlap: bool, warn: Callable[[str], None]) -> _Made:
    source = sources.resolve(str(one.outcome.trial.folder))
    folder = one.outcome.trial.folder / EXPORTED / source.name
    options = exporter.ExportOptions([INT8])
    found = exporter.export(source, dataset, folder, options, warn=warn, allow_overlap=allow_overlap).manifest
    (artifact,) = (listed for listed in found.artifacts if (listed.format, listed.quantization) == INT8)
    return _Made(one, found, artifact)


def _proof(
    search: Search,
    made: Sequence[_Made],
    verified: Sequence[Comparison],
    beside: Sequence[Comparison | None],
    rival: Path | None,
) -> Proof:
    members = []
    rival_right = None
    for one, own, other in zip(made, verified, beside, strict=True):
        if own.figures is None:
            raise ArtifactError(f"{one.path}: {own.problem.text if own.problem else 'was not measured'}")
        if other is not None and other.figures is not None:
            rival_right = other.figures.reference_correct
        members.append(
            Member(
                name=FileName(one.candidate.name),
                artifact=str(one.path.relative_to(search.folder)),
                size_bytes=one.artifact.size_bytes,
                right=round(own.figures.accuracy * own.figures.n),
                own=_paired(own),
                verdict=own.verdict,
                rival=None if other is None else _paired(other),
            )
        )
    (n,) = {comparison.n for comparison in verified}
    return Proof(
        n, search.asked.budgets.min_accuracy, None if rival is None else str(rival), rival_right, tuple(members)
    )


def _paired(comparison: Comparison) -> Paired:
    if comparison.figures is None:
        raise ArtifactError(f"{comparison.artifact}: {comparison.problem.text if comparison.problem else 'no figures'}")
    return Paired(comparison.figures.lost, comparison.figures.gained)


def _shifted(on_step: OnStep, done: int, total: int) -> OnStep:
    """Return what shows a step of a part as one of the whole."""
    return lambda step: on_step(replace(step, done=done + step.done, total=total))
