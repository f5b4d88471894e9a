"""A search: what it is for, the data, and what has come of each candidate; begun, and read again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit import extras, runs
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.errors import DataError, RunError
from toolkit.files import documents, write_json
from toolkit.search import candidates, finals, proof
from toolkit.search.asked import SearchRequest
from toolkit.search.candidates import Rejected, SearchCandidate
from toolkit.search.experiment import Experiment
from toolkit.search.finals import FINALISTS
from toolkit.search.proof import MARGIN_PP, least_rows, least_rows_to_match
from toolkit.search.space import smallest
from toolkit.study import study
from toolkit.study.study import MachineEntry, StudyDataEntry
from toolkit.study.trials import TrialState
from toolkit.training import distillation
from toolkit.training.setup import check_augmentation

DOCUMENT = "search.json"
LOG = "workers.log"
# Below this a standard error says nothing: the rule of thumb for the normal approximation of a share.
FEWEST_ROWS = 30


@dataclass(frozen=True)
class SearchEntry:
    """What ``search.json`` must have; of the candidates their own folders tell. spent_s: time that it took so far."""

    asked: SearchRequest
    data: StudyDataEntry
    host: MachineEntry
    jobs: tuple[int, ...]
    spent_s: float
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Search(Experiment[SearchCandidate]):
    """A search as it stands. candidates: the last of them are trained again. spent_s: time that it took so far."""

    asked: SearchRequest
    host: MachineEntry
    jobs: tuple[int, ...]
    spent_s: float

    @property
    def finalists(self) -> list[SearchCandidate]:
        """The candidates that are trained again; none before they are chosen."""
        return [one for one in self.candidates if one.is_finalist]

    @property
    def crashed(self) -> list[SearchCandidate]:
        """The candidates whose last training crashed; the next call tries them again."""
        return [one for one in self.candidates if one.outcome.state == TrialState.CRASHED]

    @property
    def rejected(self) -> list[Rejected]:
        """The proposals that were too costly."""
        return [one for candidate in self.candidates for one in candidate.rejected]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit search --json``."""
        return {
            **super().to_json(),
            "command": "search",
            "host": self.host,
            "jobs": list(self.jobs),
            "spent_s": self.spent_s,
            "rejected": len(self.rejected),
        }

    def write(self) -> None:
        """Write ``search.json``."""
        entry = SearchEntry(self.asked, self.data, self.host, self.jobs, self.spent_s)
        write_json(self.folder / DOCUMENT, {"schema": 1, **documents.to_tree(entry)})


def begin(
    asked: SearchRequest,
    dataset: Dataset,
    folder: Path,
    *,
    jobs: int,
    must_match: bool = False,
    allow_overlap: bool = False,
) -> Search:
    """Return a search with what there is of its candidates already. must_match: whether the front must match a model.

    Raises RunError if the folder has a search for something else, DataError if the data are too few to choose by and to
    measure with, or if training, validation and test rows overlap and that is not allowed, UsageError for a recipe that
    makes no sense or a teacher of other data.
    """
    choice = next(smallest())
    asked.recipe(choice)  # which is checked
    recipe = asked.recipe(choice, is_final=True)
    check_augmentation(recipe, dataset)
    about = study.describe(dataset, recipe, allow_overlap=allow_overlap)
    require_enough(about, asked.budgets.min_accuracy, must_match=must_match, origin=dataset.origin)
    if asked.teacher is not None:  # it would be refused by every training
        parts = divide(dataset, share=recipe.validation_split, seed=recipe.seed)
        distillation.Teacher(extras.load("tensorflow"), distillation.find(asked.teacher), parts)
    begun = Search(
        folder=folder, data=about, candidates=(), asked=asked, host=study.this_machine(), jobs=(jobs,), spent_s=0.0
    )
    return as_it_stands(begun)


def as_it_stands(search: Search) -> Search:
    """Return a search as its folder has it, or as it is if nothing is there; RunError if that is for something else."""
    if not (search.folder / DOCUMENT).is_file():
        return search
    there = read(search.folder)
    if there.asked != search.asked:
        what = f"something else ({there.asked.difference(search.asked)})"
    elif there.data["digests"] != search.data["digests"]:
        what = "other data"
    else:
        return there
    raise RunError(f"{search.folder}: has a search for {what}; ask for the same, or choose another --name")


def require_enough(about: StudyDataEntry, min_accuracy: float | None, *, must_match: bool, origin: str) -> None:
    """Raise DataError if the validation or the test rows are too few: if all were right, nothing would be shown.

    must_match: whether a candidate must be as good as another model. The validation rows only choose.
    """
    needed = [(FEWEST_ROWS, "anything: give more of them")]
    if min_accuracy is not None:
        claim = f"{100 * min_accuracy:g} %: give a lower --min-accuracy, or more test rows"
        needed.append((least_rows(min_accuracy), claim))
    if must_match:
        claim = f"a loss of at most {MARGIN_PP:g} points: ask for --min-accuracy alone, or give more test rows"
        needed.append((least_rows_to_match(), claim))
    for part, rows, claims in (
        ("validation", about["validation_rows"], needed[:1]),
        ("test", about["test_rows"], needed),
    ):
        least, claim = max(claims)
        if rows < least:
            raise DataError(f"{origin}: has {rows:,} {part} rows; no fewer than {least:,} could show {claim}")


def find(name: str) -> Path:
    """Return the folder of a search by its name or its path; RunError if there is none."""
    for folder in (runs.RUNS / name, Path(name)):
        if (folder / DOCUMENT).is_file():
            return folder
    known = ", ".join(sorted(document.parent.name for document in runs.RUNS.glob(f"*/{DOCUMENT}"))) or "none"
    raise RunError(f"no search is called '{name}'; known searches: {known}; 'toolkit search' makes one")


def read(folder: Path) -> Search:
    """Return the search of a folder as it stands; RunError if there is none."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise RunError(f"{folder}: no search is there, it has no {DOCUMENT}; 'toolkit search' makes one")
    entry = documents.read(path, SearchEntry, what="a search", error=RunError)
    tried = tuple(candidates.read(entry.asked, entry.data, path) for path in candidates.folders(folder))
    names = {one.name: one for one in tried}
    if lacking := [name for name in finals.read(folder) if name not in names]:
        raise RunError(f"{folder}: {FINALISTS} speaks of {lacking[0]}, which is not there")
    again = tuple(names[name].as_finalist(entry.asked, entry.data) for name in finals.read(folder))
    return Search(
        folder=folder,
        data=entry.data,
        candidates=(*tried, *again),
        proof=proof.read(folder),
        asked=entry.asked,
        host=entry.host,
        jobs=entry.jobs,
        spent_s=entry.spent_s,
    )
