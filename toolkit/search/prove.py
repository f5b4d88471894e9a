"""Open the test set, once: each member of the front is verified, and paired with the model that is to be matched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit import manifest, units
from toolkit.bench import passing_on
from toolkit.data.base import Dataset
from toolkit.errors import ArtifactError, RunError
from toolkit.export import exporter, sources
from toolkit.export.formats.base import MIXED
from toolkit.export.sources import Source
from toolkit.files import FileName, documents, sha256, write_json
from toolkit.files.documents import LATER
from toolkit.manifest import Artifact, Manifest
from toolkit.parity import against, figures, record, verify
from toolkit.parity.compare import Comparison
from toolkit.parity.material import Material
from toolkit.runs import BEST
from toolkit.search.budgets import SIZE, Budgets
from toolkit.search.candidates import SearchCandidate
from toolkit.search.experiment import TrainedCandidate
from toolkit.search.front import front
from toolkit.search.proof import FRONT, PROOF, Member, Paired, Proof
from toolkit.search.search import Search
from toolkit.step import OnStep, Step
from toolkit.study import study
from toolkit.study.study import StudyDataEntry
from toolkit.worker.session import contained

INT8, PARTLY_INT8 = ("tflite", "int8"), ("tflite", MIXED)
# Where the files of a candidate lie, in its folder.
EXPORTED = "exported"


@dataclass(frozen=True)
class FrontEntry:
    """What ``front.json`` has: what was chosen before the test set was opened, and the rival as in a ``Proof``."""

    members: tuple[FileName, ...]
    rival: str | None = field(default=None, metadata=LATER)
    rival_sha256: str | None = field(default=None, metadata=LATER)
    must_match: bool = field(default=False, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """Candidates that were chosen by validation alone, the folder and the data of all, and what was asked for.

    least_accuracy: of each file on the validation rows: where int8 has less, layers stay in float. None stands for int8
    files, whatever they have there.
    """

    folder: Path
    candidates: Sequence[TrainedCandidate]
    data: StudyDataEntry
    budgets: Budgets
    least_accuracy: float | None = None


@dataclass(frozen=True)
class Made:
    """A candidate as a file: of int8, or with layers in float that need it."""

    candidate: TrainedCandidate
    manifest: Manifest

    @property
    def artifact(self) -> Artifact:
        """What the manifest says of the file."""
        listed = {(one.format, one.quantization): one for one in self.manifest.artifacts}
        return listed[PARTLY_INT8] if PARTLY_INT8 in listed else listed[INT8]

    @property
    def path(self) -> Path:
        """The file."""
        return self.manifest.folder / self.artifact.path

    def fits(self, budgets: Budgets) -> bool:
        """Say whether the file is as small as it must be: that of the trained weights may be larger than was known."""
        return budgets.max_size_bytes is None or self.artifact.size_bytes <= budgets.max_size_bytes

    def __str__(self) -> str:
        return f"{self.candidate.name} takes {units.size(self.artifact.size_bytes)} {SIZE.noun}"


def chosen(search: Search) -> tuple[SearchCandidate, ...]:
    """Return the front, by validation alone: what reaches the accuracy and is beaten by nothing that costs no more."""
    least = search.asked.budgets.min_accuracy or 0.0
    reaching = [one for one in search.finished if one.accuracy >= least]
    return front(reaching, validation_rows=search.data["validation_rows"])


def too_large(candidates: Sequence[TrainedCandidate], budgets: Budgets) -> str | None:
    """Say that all files of the front were made and every one is too large; None if that is not so."""
    files = [exported(one) for one in candidates]
    made = [one for one in files if one is not None and not one.fits(budgets)]
    if not made or len(made) < len(files):
        return None
    smallest = min(made, key=lambda one: one.artifact.size_bytes)
    return (
        "all int8 files that were made are too large now that their weights are trained: the smallest, of "
        f"{smallest.candidate.name}, takes {units.size(smallest.artifact.size_bytes)}, and {SIZE.option} is "
        f"{units.size(budgets.max_size_bytes or 0)}; the test set was left closed"
    )


def prove(
    search: Search,
    dataset: Dataset,
    rival: Source | None,
    *,
    must_match: bool,
    warn: Callable[[str], None],
    on_step: OnStep,
) -> Search:
    """Return the search with its proof, as ``open_test_set`` has it; the search as it is if there is none.

    RunError if the test set may have been opened before beside another rival.
    """
    before = _front(search.folder)
    if before is not None:
        require_same_rival(search.folder, before, rival if must_match else None)
    candidates = chosen(search) if before is None else [search.named(name, by=FRONT) for name in before.members]
    left = Chosen(search.folder, candidates, search.data, search.asked.budgets)
    proof = open_test_set(left, dataset, rival, must_match=must_match, warn=warn, on_step=on_step)
    return search if proof is None else replace(search, proof=proof)


def front_of(folder: Path) -> tuple[FileName, ...] | None:
    """Return the names of a front that was written before, for which the test set may have been opened."""
    entry = _front(folder)
    return None if entry is None else entry.members


def _front(folder: Path) -> FrontEntry | None:
    path = folder / FRONT
    return documents.read(path, FrontEntry, what="a front", error=RunError) if path.is_file() else None


def require_same_rival(folder: Path, before: FrontEntry | Proof, rival: Source | None) -> None:
    """Raise RunError if the test set was opened beside another model than the one that is to be matched now."""
    there = before.rival if before.must_match else None
    how = f"beside {there}" if there else "without --against"
    if there and rival:
        is_there = there == _told(rival) or Path(there).resolve() == rival.keras_path.resolve()
        if rival.origin.sha256 == before.rival_sha256 or (is_there and before.rival_sha256 is None):
            return
        how += " as it was then" if is_there else ""
    elif not there and not rival:
        return
    raise RunError(
        f"{folder}: its test set was opened {how}, and is opened once; ask for the same, or choose another --name"
    )


def _told(rival: Source) -> str:
    """Return what a page calls the rival, which may be passed on."""
    return str(passing_on.names([rival.keras_path])[rival.keras_path])


def open_test_set(
    left: Chosen,
    dataset: Dataset,
    rival: Source | None,
    *,
    must_match: bool,
    warn: Callable[[str], None],
    on_step: OnStep,
) -> Proof | None:
    """Return the proof of what is left, which is written beside the front that it is of.

    rival: the model that the front is compared with; must_match: whether a member must be as good. Files of its members
    that are whole are kept. None if nothing is left, or no file is as small as it must be.
    """
    steps = 2 * len(left.candidates) + 1
    made = []
    for number, one in enumerate(left.candidates):
        on_step(Step(number, steps, f"exporting {one.name} to int8"))
        file = exported(one)
        if file is None:
            file, failures = _export(one, dataset, left, warn)
            for why in failures.values():
                on_step(Step(number, steps, f"{one.name}: {why}", is_news=True))
        if file.fits(left.budgets):
            made.append(file)
        else:
            warn(f"{file}, more than {SIZE.option} allows; it is left out")
    if not made:
        return None
    entry = FrontEntry(
        members=tuple(FileName(one.candidate.name) for one in made),
        rival=None if rival is None else _told(rival),
        rival_sha256=None if rival is None else rival.origin.sha256,
        must_match=must_match,
    )
    write_json(left.folder / FRONT, {"schema": 1, **documents.to_tree(entry)})
    on_step(
        Step(
            len(left.candidates), steps, f"opening the test set for {units.count(len(made), 'candidate')}", is_news=True
        )
    )
    work = study.work_on(left.data, left.folder, "auto")
    options = verify.VerifyOptions(work.data, allow_overlap=work.allow_overlap, reading=work.reading)
    verified = record.save_all(
        verify.verify_all(
            [one.path for one in made], options, warn=warn, on_step=_shifted(on_step, len(left.candidates), steps)
        )
    )
    answered = None if rival is None else _answers(rival, dataset, warn)
    proof = _proof(left, made, verified.comparisons, answered, entry)
    write_json(left.folder / PROOF, {"schema": 1, **documents.to_tree(proof)})
    return proof


def _answers(rival: Source, dataset: Dataset, warn: Callable[[str], None]) -> Material:
    """Return what the rival answers for the test rows."""
    with contained() as workers:
        session = workers.open_session(rival.keras_path, threads=0)
        model = against.classifier(session, rival.convention, dataset.train, warn)
        return against.answered_by(model, dataset.test)


def exported(one: TrainedCandidate) -> Made | None:
    """Return a candidate as it was exported before; None if it was not, or if a file of that is not whole."""
    try:
        listed = manifest.read(_folder(one))
        listed.require(listed.reference, listed.golden, *listed.artifacts)
        is_of_it = listed.source.sha256 == sha256(one.outcome.trial.folder / BEST)
    except ArtifactError:
        return None
    return Made(one, listed) if is_of_it and any(map(_is_int8, listed.artifacts)) else None


def _is_int8(listed: Artifact) -> bool:
    return (listed.format, listed.quantization) == INT8


def _folder(one: TrainedCandidate) -> Path:
    trial = one.outcome.trial
    return trial.folder / EXPORTED / trial.recipe.model_name


def _export(
    one: TrainedCandidate, dataset: Dataset, left: Chosen, warn: Callable[[str], None]
) -> tuple[Made, dict[str, str]]:
    """Export a candidate; return it with why a file was not made, by its name."""
    source, least = sources.resolve(str(one.outcome.trial.folder)), left.least_accuracy
    pairs = [INT8] if least is None else [INT8, PARTLY_INT8]
    options = exporter.ExportOptions(pairs, least_accuracy=least, most_bytes=left.budgets.max_size_bytes)
    allow_overlap = bool(left.data["overlap"])
    made = exporter.export(source, dataset, _folder(one), options, warn=warn, allow_overlap=allow_overlap)
    return Made(one, made.manifest), made.failures


def _proof(
    left: Chosen,
    made: Sequence[Made],
    verified: Sequence[Comparison],
    answered: Material | None,
    entry: FrontEntry,
) -> Proof:
    """Return what the test set says. answered: what the rival answers for its rows."""
    members = []
    for one, own in zip(made, verified, strict=True):
        if own.figures is None or own.table is None:
            raise ArtifactError(f"{one.path}: {own.problem.text if own.problem else 'was not measured'}")
        beside = None if answered is None else figures.compute(answered.table, own.table, classes=answered.classes)
        members.append(
            Member(
                name=FileName(one.candidate.name),
                artifact=str(one.path.relative_to(left.folder)),
                size_bytes=one.artifact.size_bytes,
                quantization=one.artifact.quantization,
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
        rival=entry.rival,
        rival_right=None if answered is None else answered.right,
        must_match=entry.must_match,
        members=tuple(members),
        rival_sha256=entry.rival_sha256,
    )


def _shifted(on_step: OnStep, done: int, total: int) -> OnStep:
    """Return what shows a step of a part as one of the whole."""
    return lambda step: on_step(replace(step, done=done + step.done, total=total))
