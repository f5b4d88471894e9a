"""Searches: budgets in, networks out."""

from os import PathLike, fspath
from typing import TYPE_CHECKING, Unpack

from toolkit import extras
from toolkit.api.base import EXPORTED
from toolkit.api.studies import executor_of, until_interrupted
from toolkit.errors import ToolkitError, warn
from toolkit.step import OnStep, Step, ignore

if TYPE_CHECKING:
    from toolkit.data.base import Dataset
    from toolkit.export.sources import Source
    from toolkit.reading import Reading
    from toolkit.search.asked import TrainingOptions
    from toolkit.search.budgets import Budgets
    from toolkit.search.conduct import Limits
    from toolkit.search.report import SearchReport
    from toolkit.search.search import Search
    from toolkit.study.executors.base import Executor

# Where the shipped CNN lies, which a front is compared with if its data are the same.
_SHIPPED = EXPORTED / "cnn"


def search(
    budgets: "Budgets",
    *,
    data: str | PathLike[str] = "auto",
    name: str = "search",
    trials: int | None = None,
    hours: float | None = 1.0,
    jobs: int = 1,
    device: str = "auto",
    ray: str | None = None,
    run_cpus: int = 1,
    run_gpus: float = 0.0,
    against: str | PathLike[str] | None = None,
    reading: "Reading | None" = None,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
    **training: "Unpack[TrainingOptions]",
) -> "Search":
    """Search the family ``tiny`` for the smallest networks within budgets, in ``runs/NAME/``; called again, it goes on.

    budgets: a ``toolkit.search.budgets.Budgets``. data, reading, jobs, device, ray, run_cpus, run_gpus, allow_overlap:
    as for ``study``. trials, hours: after so many candidates, or so long, no other begins; then those that promise most
    are trained again, and the front that is left is exported to int8 and measured on the test set, once. training:
    ``epochs`` of each candidate (default: 10), ``seed``; ``final_epochs`` of those that are trained again (default: 60;
    0 for none), ``finalists``, how many these are at most (default: 3); and ``augment``, ``warmup``, ``average``,
    ``label_smoothing``, ``teacher`` and ``qat``, as for ``train``, which are theirs alone if there are any. against:
    what the front must match, as ``export`` takes it; None stands for a comparison, which nothing depends on, with the
    CNN in ``exported/`` if it was made for the same data. A search whose test set was opened is returned as it is.

    ``.candidates`` has what was tried, ``.proof`` what the test set said, None if nothing reached the accuracy;
    ``.to_json()`` is the document of ``toolkit search --json``. Ctrl-C ends it, with ``.interrupted``; no whole epoch
    is lost. Raises UsageError, before anything is trained, if nothing can meet the budgets or they limit what cannot be
    measured here (also a latency beside ``ray`` or several ``jobs``), DataError for data that cannot be had, overlap or
    are too few, RunError if the folder has another search, one that was measured by something else, or one whose test
    set was opened beside another model, BusyError while another process works there, MissingExtraError without
    TensorFlow or Optuna.
    """
    from toolkit.data import load
    from toolkit.export import sources
    from toolkit.search import conduct, measures
    from toolkit.search.asked import SearchRequest
    from toolkit.search.search import LOG, begin
    from toolkit.study import study

    extras.require("tensorflow", "matplotlib", "optuna")
    measures.require(budgets, is_alone=jobs == 1 and ray is None)
    folder = study.folder_of(name)
    limits = conduct.Limits(trials, hours)
    executor = executor_of(jobs, folder / LOG, ray=ray, cpus=run_cpus, gpus=run_gpus)
    asked = SearchRequest(budgets, **training)
    given = None if against is None else sources.resolve(fspath(against))
    dataset = load(fspath(data), warn=warn, reading=reading)
    begun = begin(asked, dataset, folder, jobs=executor.jobs, must_match=given is not None, allow_overlap=allow_overlap)
    on_step(Step(0, 1, f"{dataset.summary}; {budgets}; {begun.summary}; in {folder}/", begun, is_news=True))
    return _carry_out(begun, dataset, executor, limits, given, device=device, on_step=on_step)


def report_search(folder: str | PathLike[str] = "search") -> "SearchReport":
    """Write the page of a search, ``search.md`` and ``search.html`` in its folder, with its charts; nothing is trained.

    folder: of the search, or its name. ``.search`` is the search as it stands, ``.markdown``, ``.html`` and ``.charts``
    are the files. Raises RunError if there is no search or no candidate has ended, MissingExtraError without
    matplotlib.
    """
    from toolkit.search import report
    from toolkit.search.search import find, read

    extras.require("matplotlib")
    return report.write(read(find(fspath(folder))))


def _carry_out(
    begun: "Search",
    dataset: "Dataset",
    executor: "Executor",
    limits: "Limits",
    given: "Source | None",
    *,
    device: str,
    on_step: OnStep,
) -> "Search":
    """Return a search as it ends. given: what the front must match, if anything."""
    from toolkit.search.conduct import conduct
    from toolkit.search.costs import Costing
    from toolkit.search.search import DOCUMENT, read

    with Costing(dataset, begun.asked.budgets, qat=begun.asked.qat) as costing:
        return until_interrupted(
            lambda: conduct(
                begun,
                dataset,
                executor,
                costing,
                limits,
                rival=given or _shipped(dataset),
                must_match=given is not None,
                device=device,
                warn=warn,
                on_step=on_step,
            ),
            begun.folder / DOCUMENT,
            read,
        )


def _shipped(dataset: "Dataset") -> "Source | None":
    """Return the shipped CNN if it was made for the same data. Nobody named it, so a damaged one is only warned of."""
    from toolkit import manifest
    from toolkit.export import sources

    if not (_SHIPPED / manifest.MANIFEST).is_file():
        return None
    try:
        return sources.resolve(str(_SHIPPED)) if manifest.read(_SHIPPED).data.digests == dataset.digests else None
    except ToolkitError as error:
        warn(f"no comparison with {_SHIPPED}: {error}")
        return None
