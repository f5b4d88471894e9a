"""A search: what it is for, the data, and what has come of each candidate; begun, and read again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.errors import DataError, RunError
from toolkit.files import documents, write_json
from toolkit.search.budgets import Budgets, Costs
from toolkit.search.proof import PROOF, Proof, least_rows
from toolkit.search.proposals import Result
from toolkit.search.space import Choice, smallest
from toolkit.study import outcome, study
from toolkit.study.outcome import ENDED, TrialOutcome
from toolkit.study.study import MachineEntry, StudyDataEntry
from toolkit.study.trials import Trial, TrialState
from toolkit.training import distillation
from toolkit.training.recipe import Recipe

DOCUMENT, CANDIDATE = "search.json", "candidate.json"
LOG = "workers.log"
# How the folder of a candidate begins; its number follows.
TRIAL = "trial-"
# Below this a standard error says nothing: the rule of thumb for the normal approximation of a share.
FEWEST_ROWS = 30


@dataclass(frozen=True)
class Asked:
    """What a search is for; it goes on only for the same. All but the budgets is of every training, as in a Recipe."""

    budgets: Budgets
    epochs: int
    seed: int = 0
    augment: str | None = None
    warmup: int = 0
    average: float | None = None
    label_smoothing: float = 0.0
    teacher: str | None = None

    def recipe(self, choice: Choice) -> Recipe:
        """Return how a candidate is trained; UsageError if that makes no sense."""
        return Recipe(
            model=choice.model,
            learning_rate=choice.learning_rate,
            epochs=self.epochs,
            seed=self.seed,
            augment=self.augment,
            warmup=self.warmup,
            average=self.average,
            label_smoothing=self.label_smoothing,
            teacher=self.teacher,
            schedule="cosine",
            monitor="val_accuracy",
        )


@dataclass(frozen=True)
class SearchEntry:
    """What ``search.json`` must have; of the candidates their own folders tell. spent_s: time that it took so far."""

    asked: Asked
    data: StudyDataEntry
    host: MachineEntry
    jobs: tuple[int, ...]
    spent_s: float
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """A proposal that was too costly. costs: at least."""

    choice: Choice
    costs: Costs

    @property
    def result(self) -> Result:
        """What the next proposal depends on: what does not fit is worth nothing."""
        return Result(self.choice, self.costs, 0.0)


@dataclass(frozen=True)
class CandidateEntry:
    """What ``candidate.json`` has: what is known before it is trained. rejected: the proposals before it."""

    choice: Choice
    costs: Costs
    rejected: tuple[Rejected, ...]
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A network with its recipe, what it takes, and what has come of its training."""

    choice: Choice
    costs: Costs
    rejected: tuple[Rejected, ...]
    outcome: TrialOutcome

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.outcome.trial.folder.name

    @property
    def accuracy(self) -> float:
        """Of the weights that are kept, on the validation rows."""
        return self.outcome.kept_validation_accuracy

    @property
    def curve(self) -> Sequence[float]:
        """The validation accuracy after each epoch."""
        return [epoch.val_accuracy for epoch in self.outcome.progress.history]

    @property
    def result(self) -> Result:
        """What the next proposal depends on. One that was given up or diverged counts with what it had reached."""
        return Result(self.choice, self.costs, self.accuracy if self.outcome.state in ENDED else None)

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as ``toolkit search --json`` has it."""
        return {
            "name": self.name,
            "model": self.choice.model,
            "learning_rate": self.choice.learning_rate,
            **asdict(self.costs),
            "state": self.outcome.state,
            "message": self.outcome.message,
            "epochs_run": len(self.outcome.progress.history),
            "validation_accuracy": self.accuracy if self.outcome.progress.history else None,
            "seconds": self.outcome.seconds,
        }


@dataclass(frozen=True)
class Search:
    """A search as it stands. proof: what the test set said of the front; None as long as it is closed.

    interrupted: whether Ctrl-C ended it.
    """

    folder: Path
    asked: Asked
    data: StudyDataEntry
    host: MachineEntry
    jobs: tuple[int, ...]
    spent_s: float
    candidates: tuple[Candidate, ...]
    proof: Proof | None = None
    interrupted: bool = False

    @property
    def finished(self) -> list[Candidate]:
        """The candidates that have all their epochs."""
        return [one for one in self.candidates if one.outcome.state == TrialState.FINISHED]

    @property
    def summary(self) -> str:
        """How far it is, in a line."""
        states = [one.outcome.state for one in self.candidates]
        others = (TrialState.GIVEN_UP, TrialState.DIVERGED, TrialState.CRASHED)
        counts = "".join(f", {states.count(state)} {state}" for state in others if state in states)
        return f"{states.count(TrialState.FINISHED)} of {len(states)} candidates finished{counts}"

    @property
    def rejected(self) -> list[Rejected]:
        """The proposals that were too costly."""
        return [one for candidate in self.candidates for one in candidate.rejected]

    def named(self, name: str) -> Candidate:
        """Return a candidate by the name of its folder; RunError if there is none."""
        for one in self.candidates:
            if one.name == name:
                return one
        raise RunError(f"{self.folder}: {PROOF} speaks of {name}, which is not there")

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit search --json``."""
        return {
            "schema": 1,
            "command": "search",
            "folder": str(self.folder),
            "asked": asdict(self.asked),
            "data": self.data,
            "host": self.host,
            "jobs": list(self.jobs),
            "spent_s": self.spent_s,
            "interrupted": self.interrupted,
            "rejected": len(self.rejected),
            "candidates": [one.to_json() for one in self.candidates],
            "proof": self.proof.to_json() if self.proof else None,
        }

    def write(self) -> None:
        """Write ``search.json``."""
        entry = SearchEntry(self.asked, self.data, self.host, self.jobs, self.spent_s)
        write_json(self.folder / DOCUMENT, {"schema": 1, **documents.to_tree(entry)})


def begin(asked: Asked, dataset: Dataset, folder: Path, *, jobs: int, allow_overlap: bool = False) -> Search:
    """Return a search with what there is of its candidates already.

    Raises RunError if the folder has a search for something else, DataError if the data are too few to choose by and to
    measure with, or if training, validation and test rows overlap and that is not allowed, UsageError for a recipe that
    makes no sense or a teacher of other data.
    """
    recipe = asked.recipe(next(smallest()))
    about = study.describe(dataset, recipe, allow_overlap=allow_overlap)
    require_enough(about, asked.budgets.min_accuracy, origin=dataset.origin)
    if asked.teacher is not None:  # it would be refused by every training
        parts = divide(dataset, share=recipe.validation_split, seed=recipe.seed)
        distillation.Teacher(extras.load("tensorflow"), distillation.find(asked.teacher), parts)
    if not (folder / DOCUMENT).is_file():
        return Search(folder, asked, about, study.this_machine(), (jobs,), 0.0, ())
    found = read(folder)
    if found.asked != asked or found.data["digests"] != about["digests"]:
        what = "other data" if found.asked == asked else f"something else ({_difference(found.asked, asked)})"
        raise RunError(f"{folder}: has a search for {what}; ask for the same, or choose another --name")
    return found


def require_enough(about: StudyDataEntry, min_accuracy: float | None, *, origin: str) -> None:
    """Raise DataError if the validation or the test rows are too few.

    If n of n test rows are right, Wilson's interval begins at n / (n + z²): with too few it cannot reach the accuracy.
    The validation rows only choose.
    """
    least = max(FEWEST_ROWS, least_rows(min_accuracy)) if min_accuracy else FEWEST_ROWS
    why = f", no fewer could show an accuracy of {100 * (min_accuracy or 0):g} %" if least > FEWEST_ROWS else ""
    if about["validation_rows"] < FEWEST_ROWS:
        raise DataError(f"{origin}: has {about['validation_rows']:,} validation rows; a search needs {FEWEST_ROWS}")
    if about["test_rows"] < least:
        raise DataError(f"{origin}: has {about['test_rows']:,} test rows; a search needs {least:,}{why}")


def read(folder: Path) -> Search:
    """Return the search of a folder as it stands; RunError if there is none."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise RunError(f"{folder}: no search is there, it has no {DOCUMENT}; 'toolkit search' makes one")
    entry = documents.read(path, SearchEntry, what="a search", error=RunError)
    candidates = tuple(
        candidate(entry.asked, entry.data, folder / f"{TRIAL}{number:03}")
        for number in sorted(int(path.parent.name.removeprefix(TRIAL)) for path in _candidates(folder))
    )
    proof = folder / PROOF
    found = documents.read(proof, Proof, what="a proof", error=RunError) if proof.is_file() else None
    search = Search(folder, entry.asked, entry.data, entry.host, entry.jobs, entry.spent_s, candidates, found)
    for member in found.members if found else ():
        search.named(member.name)
    return search


def _candidates(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{TRIAL}*/{CANDIDATE}") if path.parent.name.removeprefix(TRIAL).isdecimal()]


def candidate(asked: Asked, data: StudyDataEntry, folder: Path) -> Candidate:
    """Return the candidate of a folder as it stands; RunError if its documents are damaged."""
    found = documents.read(folder / CANDIDATE, CandidateEntry, what="a candidate", error=RunError)
    trial = Trial(asked.recipe(found.choice), folder, data["digests"], opens_test=False)
    return Candidate(found.choice, found.costs, found.rejected, outcome.read(trial))


def _difference(before: Asked, now: Asked) -> str:
    """Return in words what a search was for that is asked for otherwise now."""
    if before.budgets != now.budgets:
        return str(before.budgets)
    names = [name for name, value in vars(before).items() if value != getattr(now, name)]
    return ", ".join(f"--{name.replace('_', '-')} {getattr(before, name)}" for name in names)
