"""A compression: what is asked for, the original, and what has come of each candidate; begun, and read again."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.compress.candidates import TRIAL, PrunedCandidate, PrunedCandidateEntry
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.errors import RunError, UsageError
from toolkit.export.sources import Source
from toolkit.files import FileName, documents, write_json
from toolkit.files.damage import decoding
from toolkit.models import WEIGHTS_SUFFIX
from toolkit.search import proof
from toolkit.search.budgets import COSTS, SIZE, Budgets, Costs
from toolkit.search.costs import Costing
from toolkit.search.experiment import CANDIDATE, Experiment
from toolkit.search.proof import MARGIN_PP
from toolkit.search.prove import too_large
from toolkit.search.search import require_enough
from toolkit.study import outcome, study
from toolkit.study.study import StudyDataEntry
from toolkit.study.trials import Trial
from toolkit.training.distillation import Teacher
from toolkit.training.recipe import Recipe

DOCUMENT = "compress.json"
LOG = "workers.log"


@dataclass(frozen=True)
class CompressionRequest:
    """What a compression is for; it goes on only for the same. All fields but the budgets hold for every training.

    teacher: the Keras file of the original, whose rows are divided, drawn and changed as when it was trained.
    """

    budgets: Budgets
    epochs: int
    teacher: str
    batch_size: int = Recipe.batch_size
    validation_split: float = Recipe.validation_split
    seed: int = Recipe.seed
    augment: str | None = None
    balance: bool = False

    def recipe(self, start: Path, input_range: str | None = None) -> Recipe:
        """Return how the network of a Keras file is trained further; UsageError if that makes no sense."""
        shared = {name: value for name, value in vars(self).items() if name != "budgets"}
        return Recipe(model=str(start), input_range=input_range, schedule="cosine", monitor="val_accuracy", **shared)


@dataclass(frozen=True)
class Original:
    """The network that is made smaller.

    name: what the files of its candidates are called after. accuracy: on the validation rows. input_range: which values
    pixels become for it, as its manifest, its run or its first layer says; None for values.
    """

    name: FileName
    sha256: str
    costs: Costs
    accuracy: float
    input_range: str | None


@dataclass(frozen=True)
class CompressionEntry:
    """What ``compress.json`` must have; of the candidates their own folders tell."""

    asked: CompressionRequest
    original: Original
    data: StudyDataEntry
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Compression(Experiment[PrunedCandidate]):
    """A compression as it stands."""

    asked: CompressionRequest
    original: Original

    @property
    def least_accuracy(self) -> float:
        """What a candidate must reach on the validation rows, before the test set is opened for it.

        That is what was asked for, else what the original has there but for the margin.
        """
        least = self.asked.budgets.min_accuracy
        return self.original.accuracy - MARGIN_PP / 100 if least is None else least

    @property
    def chosen(self) -> tuple[PrunedCandidate, ...]:
        """All that reach the accuracy on the validation rows, the smallest first.

        Not the front alone: a larger one that is hardly better there may be the only one that is shown on the test set.
        """
        reaching = [one for one in self.finished if one.accuracy >= self.least_accuracy]
        return tuple(sorted(reaching, key=lambda one: one.costs.size_bytes))

    @property
    def too_large(self) -> str | None:
        """A sentence that every chosen file is too large; None if that is not so."""
        return too_large(self.chosen, self.asked.budgets)

    def candidate_folder(self, number: int) -> Path:
        """Return where a candidate lies, counted from 1."""
        return self.folder / f"{TRIAL}{number}"

    def start_of(self, candidate: Path) -> Path:
        """Return the Keras file that the training of a candidate starts from; exports are named after it."""
        return candidate / f"{self.original.name}-small{WEIGHTS_SUFFIX}"

    def candidate(self, folder: Path) -> PrunedCandidate:
        """Return the candidate of a folder as it stands; RunError if its documents are damaged."""
        entry = documents.read(folder / CANDIDATE, PrunedCandidateEntry, what="a candidate", error=RunError)
        # No manifest stands beside the file that it starts from: the recipe says what that takes. It was only just
        # pruned, and gets more images right in one range than in another by chance.
        recipe = self.asked.recipe(self.start_of(folder), self.original.input_range)
        trial = Trial(recipe, folder, self.data["digests"], opens_test=False, tries_range=False)
        return PrunedCandidate(
            steps=entry.steps, costs=entry.costs, outcome=outcome.read(trial), low_rank=entry.low_rank
        )

    def reread(self) -> "Compression":
        """Return it with its candidates as they stand on the disk."""
        candidates: list[PrunedCandidate] = []
        while (folder := self.candidate_folder(len(candidates) + 1) / CANDIDATE).is_file():
            candidates.append(self.candidate(folder.parent))
        return replace(self, candidates=tuple(candidates))

    def write(self) -> None:
        """Write ``compress.json``."""
        entry = CompressionEntry(self.asked, self.original, self.data)
        write_json(self.folder / DOCUMENT, {"schema": 1, **documents.to_tree(entry)})

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit compress --json``."""
        return {**super().to_json(), "command": "compress", "original": asdict(self.original)}


def begin(
    source: Source,
    budgets: Budgets,
    dataset: Dataset,
    folder: Path,
    costing: Costing,
    *,
    epochs: int,
    allow_overlap: bool = False,
) -> Compression:
    """Return a compression with what there is of its candidates already.

    Raises RunError if the folder has a compression of something else, DataError if the data are too few to choose by
    and to measure with, or if training, validation and test rows overlap and that is not allowed, UsageError if the
    original fits already, or takes other data, or something else than the size is limited.
    """
    if source.keras_path.suffix != WEIGHTS_SUFFIX:
        raise UsageError(
            f"{source.keras_path}: compress takes a {WEIGHTS_SUFFIX} file; load it in Keras, and save it as one"
        )
    if [cost for cost in COSTS if budgets.limit(cost) is not None] != [SIZE]:
        raise UsageError(f"{budgets}: compress limits the size of the int8 file alone, and needs that limit")
    asked = _asked(source, budgets, epochs)
    recipe = asked.recipe(source.keras_path)
    about = study.describe(dataset, recipe, allow_overlap=allow_overlap)
    must_match = budgets.min_accuracy is None
    require_enough(about, budgets.min_accuracy, must_match=must_match, origin=dataset.origin)
    if (folder / DOCUMENT).is_file():
        there = read(folder)
        same_data = there.data["digests"] == about["digests"]
        if there.asked != asked or there.original.sha256 != source.origin.sha256 or not same_data:
            raise RunError(
                f"{folder}: has a compression of {there.asked.teacher} for {there.asked.budgets} in "
                f"{there.asked.epochs} epochs, with the weights and the data of then; ask for the same, or choose "
                "another --name"
            )
        return there
    parts = divide(dataset, share=asked.validation_split, seed=asked.seed)
    rows = parts.validation_rows
    teacher = Teacher(extras.load("tensorflow"), source.keras_path, parts)
    right = teacher.answers(parts.held_out, rows)[rows].argmax(axis=1) == parts.held_out.labels[rows]
    costs = costing.costs_of(asked.teacher)
    if SIZE.option not in budgets.excess(costs):
        raise UsageError(
            f"{source.keras_path}: takes {costs} as it is, which is within {budgets}; 'toolkit export' makes the file, "
            "and with '--quantize mixed' one that leaves layers in float which int8 costs too much accuracy"
        )
    input_range = str(teacher.convention) if dataset.is_pixels else None
    with decoding(source.keras_path, "the original", error=UsageError):  # a manifest may name its model anyhow
        name = FileName(source.name)
    original = Original(name, source.origin.sha256, costs, float(np.mean(right)), input_range)
    return Compression(folder=folder, data=about, candidates=(), asked=asked, original=original)


def read(folder: Path) -> Compression:
    """Return the compression of a folder as it stands; RunError if there is none."""
    entry = documents.read(folder / DOCUMENT, CompressionEntry, what="a compression", error=RunError)
    begun = Compression(folder=folder, data=entry.data, candidates=(), asked=entry.asked, original=entry.original)
    return replace(begun.reread(), proof=proof.read(folder))


def _asked(source: Source, budgets: Budgets, epochs: int) -> CompressionRequest:
    """Return what is asked for; the rest is as the original was trained, if that is known.

    Candidates are chosen by validation rows, also if the original was trained without them.
    """
    asked = CompressionRequest(budgets, epochs, str(source.keras_path))
    recipe = source.recipe
    if recipe is None:
        return asked
    return replace(
        asked,
        batch_size=recipe.batch_size,
        validation_split=recipe.validation_split or asked.validation_split,
        seed=recipe.seed,
        augment=recipe.augment,
        balance=recipe.balance,
    )
