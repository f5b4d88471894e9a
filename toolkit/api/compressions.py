"""Compressions: a trained network in, a smaller one out."""

from os import PathLike, fspath
from typing import TYPE_CHECKING

from toolkit import extras
from toolkit.api.studies import executor_of, until_interrupted
from toolkit.errors import warn
from toolkit.step import OnStep, ignore

if TYPE_CHECKING:
    from toolkit.compress.compression import Compression
    from toolkit.search.budgets import Budgets


def compress(
    source: str | PathLike[str],
    budgets: "Budgets",
    *,
    epochs: int = 20,
    data: str | PathLike[str] | None = None,
    name: str = "compress",
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> "Compression":
    """Make a trained network smaller, in ``runs/NAME/``, and prove what is left of it; called again, it goes on.

    source: a run, an export or a ``.keras`` file. budgets: a ``toolkit.search.budgets.Budgets`` with a
    ``max_size_bytes``, and without a ``min_accuracy`` if the result must not be worse than the original. epochs: of the
    training of each candidate, with the original as its teacher. data: by name or path; None stands for what the source
    was trained on. allow_overlap: go on where test images are training images too.

    ``.candidates`` has what was trained, ``.proof`` what the test set said, ``.smallest`` the smallest candidate of
    which everything is shown, None if there is none; ``.to_json()`` is the document of ``toolkit compress --json``.
    Ctrl-C ends it, with ``.interrupted``; no whole epoch is lost. Raises UsageError for a network that fits already,
    has nothing to prune or fits in no width, DataError for data that cannot be had, overlap or are too few, RunError if
    the folder has another compression, CheckFailedError if a training crashes, BusyError while another process works
    there, MissingExtraError without TensorFlow.
    """
    from toolkit.compress import compression, conduct
    from toolkit.data import load
    from toolkit.export import sources
    from toolkit.study import study

    extras.require("tensorflow", "matplotlib")
    folder = study.folder_of(name)
    executor = executor_of(1, folder / compression.LOG, ray=None, cpus=1, gpus=0.0)
    original = sources.resolve(fspath(source))
    choice = original.data if data is None else fspath(data)
    dataset = load(choice, warn=warn, reading=original.reading_for(choice))
    original.check_data(dataset)
    path, looks = original.keras_path, "it looks better on them than it is"
    if original.recipe is None:
        warn(f"{path}: what it was trained on is not known; if the validation rows are among that, {looks}")
    elif not original.recipe.validation_split and dataset.validation is None:
        learned = "those of its candidates are among what it has learned"
        warn(f"{path}: was trained without validation rows; {learned}, and {looks}")
    return until_interrupted(
        lambda: conduct.conduct(
            original,
            budgets,
            dataset,
            folder,
            executor,
            epochs=epochs,
            allow_overlap=allow_overlap,
            warn=warn,
            on_step=on_step,
        ),
        folder / compression.DOCUMENT,
        compression.read,
    )
