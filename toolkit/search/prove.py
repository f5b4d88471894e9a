"""Open the test set, once: each member of the front is verified, and paired with the model that is to be matched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit import reading, runs, units
from toolkit.data.base import Dataset
from toolkit.errors import ArtifactError, RunError
from toolkit.export import exporter, sources
from toolkit.export.sources import Source
from toolkit.files import FileName, documents, write_json
from toolkit.manifest import Artifact, Manifest
from toolkit.parity import against, figures, record, verify
from toolkit.parity.compare import Comparison
from toolkit.parity.material import Material
from toolkit.search.front import front
from toolkit.search.proof import FRONT, PROOF, Member, Paired, Proof
from toolkit.search.search import Candidate, Search
from toolkit.step import OnStep, Step
from toolkit.worker.session import contained

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
    search: Search,
    dataset: Dataset,
    rival: Source | None,
    *,
    must_match: bool,
    warn: Callable[[str], None],
    on_step: OnStep,
) -> Search:
    """Return the search with its proof, which is written beside the front that it is of.

    rival: the model that the front is compared with; must_match: whether a member must be as good. A front that was
    written before is kept: its test set may have been opened. If no candidate reaches the accuracy, the search is
    returned as it is.
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
    on_step(Step(len(left), steps, f"opening the test set for {units.count(len(made), 'candidate')}", is_news=True))
    read_as = reading.from_json(search.data.get("reading", {}), search.folder, error=RunError)
    options = verify.VerifyOptions(
        runs.data_choice(search.data), allow_overlap=bool(search.data["overlap"]), reading=read_as
    )
    verified = record.save_all(
        verify.verify_all([one.path for one in made], options, warn=warn, on_step=_shifted(on_step, len(left), steps))
    )
    shown = None if rival is None else _answers(rival, dataset, warn)
    proof = _proof(search, made, verified.comparisons, rival, shown, must_match=must_match)
    write_json(search.folder / PROOF, {"schema": 1, **documents.to_tree(proof)})
    return replace(search, proof=proof)


def _answers(rival: Source, dataset: Dataset, warn: Callable[[str], None]) -> Material:
    """Return what the rival answers for the test rows."""
    with contained() as workers:
        model = against.open_classifier(workers, rival.keras_path, rival.convention, dataset.train, warn)
        return against.answered_by(model, dataset.test)


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
    rival: Source | None,
    shown: Material | None,
    *,
    must_match: bool,
) -> Proof:
    """Return what the test set says. shown: what the rival answers for its rows."""
    members = []
    for one, own in zip(made, verified, strict=True):
        if own.figures is None or own.table is None:
            raise ArtifactError(f"{one.path}: {own.problem.text if own.problem else 'was not measured'}")
        beside = None if shown is None else figures.compute(shown.table, own.table, classes=shown.classes)
        members.append(
            Member(
                name=FileName(one.candidate.name),
                artifact=str(one.path.relative_to(search.folder)),
                size_bytes=one.artifact.size_bytes,
                right=sum(own.figures.class_correct),
                own=Paired(own.figures.lost, own.figures.gained),
                verdict=own.verdict,
                rival=None if beside is None else Paired(beside.lost, beside.gained),
            )
        )
    (n,) = {comparison.n for comparison in verified}
    return Proof(
        n=n,
        min_accuracy=search.asked.budgets.min_accuracy,
        rival=None if rival is None else str(rival.keras_path),
        rival_right=None if shown is None else shown.right,
        must_match=must_match,
        members=tuple(members),
    )


def _shifted(on_step: OnStep, done: int, total: int) -> OnStep:
    """Return what shows a step of a part as one of the whole."""
    return lambda step: on_step(replace(step, done=done + step.done, total=total))
