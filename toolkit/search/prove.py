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
from toolkit.search.budgets import Budgets
from toolkit.search.front import front
from toolkit.search.proof import FRONT, PROOF, Member, Paired, Proof
from toolkit.search.search import Candidate, Search
from toolkit.step import OnStep, Step
from toolkit.study.study import StudyDataEntry
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
class Chosen:
    """Runs that were chosen by validation alone: their names in a folder, their data, and what was asked for."""

    folder: Path
    names: tuple[str, ...]
    data: StudyDataEntry
    budgets: Budgets


@dataclass(frozen=True)
class _Made:
    """A run as an int8 file."""

    name: FileName
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
    """Return the search with its proof, as ``open_test_set`` has it; if there is none, the search as it is."""
    names = tuple(one.name for one in chosen(search))
    left = Chosen(search.folder, names, search.data, search.asked.budgets)
    proof = open_test_set(left, dataset, rival, must_match=must_match, warn=warn, on_step=on_step)
    return search if proof is None else replace(search, proof=proof)


def open_test_set(
    left: Chosen,
    dataset: Dataset,
    rival: Source | None,
    *,
    must_match: bool,
    warn: Callable[[str], None],
    on_step: OnStep,
) -> Proof | None:
    """Return the proof of a front, which is written beside it; None if nothing was chosen, or no int8 file fits.

    rival: the model that the front is compared with; must_match: whether a member must be as good. A front that was
    written before is kept: its test set may have been opened.
    """
    path, names = left.folder / FRONT, left.names
    if path.is_file():
        names = documents.read(path, FrontEntry, what="a front", error=RunError).members
    steps = 2 * len(names) + 1
    made = []
    for number, name in enumerate(names):
        on_step(Step(number, steps, f"exporting {name} to int8"))
        made.append(_export(left.folder / name, dataset, bool(left.data["overlap"]), warn))
    made = [one for one in made if one.artifact.size_bytes <= (left.budgets.max_size_bytes or float("inf"))]
    if not made:
        return None
    write_json(path, {"schema": 1, **documents.to_tree(FrontEntry(tuple(one.name for one in made)))})
    on_step(Step(len(names), steps, f"opening the test set for {units.count(len(made), 'candidate')}", is_news=True))
    read_as = reading.from_json(left.data.get("reading", {}), left.folder, error=RunError)
    options = verify.VerifyOptions(
        runs.data_choice(left.data), allow_overlap=bool(left.data["overlap"]), reading=read_as
    )
    verified = record.save_all(
        verify.verify_all([one.path for one in made], options, warn=warn, on_step=_shifted(on_step, len(names), steps))
    )
    shown = None if rival is None else _answers(rival, dataset, warn)
    proof = _proof(left, made, verified.comparisons, rival, shown, must_match=must_match)
    write_json(left.folder / PROOF, {"schema": 1, **documents.to_tree(proof)})
    return proof


def _answers(rival: Source, dataset: Dataset, warn: Callable[[str], None]) -> Material:
    """Return what the rival answers for the test rows."""
    with contained() as workers:
        model = against.open_classifier(workers, rival.keras_path, rival.convention, dataset.train, warn)
        return against.shown_by(model, dataset.test)


def _export(run: Path, dataset: Dataset, allow_overlap: bool, warn: Callable[[str], None]) -> _Made:
    source = sources.resolve(str(run))
    options = exporter.ExportOptions([INT8])
    found = exporter.export(
        source, dataset, run / EXPORTED / source.name, options, warn=warn, allow_overlap=allow_overlap
    ).manifest
    (artifact,) = (listed for listed in found.artifacts if (listed.format, listed.quantization) == INT8)
    return _Made(FileName(run.name), found, artifact)


def _proof(
    left: Chosen,
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
                name=one.name,
                artifact=str(one.path.relative_to(left.folder)),
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
        min_accuracy=left.budgets.min_accuracy,
        rival=None if rival is None else str(rival.keras_path),
        rival_right=None if shown is None else shown.right,
        must_match=must_match,
        members=tuple(members),
    )


def _shifted(on_step: OnStep, done: int, total: int) -> OnStep:
    """Return what shows a step of a part as one of the whole."""
    return lambda step: on_step(replace(step, done=done + step.done, total=total))
