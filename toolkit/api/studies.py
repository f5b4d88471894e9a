"""Studies: many trainings, compared."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from toolkit import extras
from toolkit.errors import UsageError, warn
from toolkit.step import OnStep, Step, ignore

if TYPE_CHECKING:
    from toolkit.reading import Reading
    from toolkit.search.experiment import Experiment
    from toolkit.study.executors.base import Event, Executor
    from toolkit.study.grid import GridOptions
    from toolkit.study.report import StudyReport
    from toolkit.study.study import Study

AnyStudy = TypeVar("AnyStudy", bound="Study | Experiment[Any]")


def study(
    *,
    data: str | PathLike[str] = "auto",
    name: str = "study",
    jobs: int = 1,
    device: str = "auto",
    ray: str | None = None,
    run_cpus: int = 1,
    run_gpus: float = 0.0,
    reading: "Reading | None" = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    allow_overlap: bool = False,
    quick: bool = False,
    on_step: OnStep = ignore,
    **axes: "Unpack[GridOptions]",
) -> "Study":
    """Train every combination of the values on some axes, into ``runs/NAME/``; called again, it goes on where it was.

    axes: ``model``, ``optimizer``, ``activation``, ``learning_rate`` and ``loss``, each one value or several;
    ``seeds``, how often each recipe is trained; ``epochs`` of each run, one number, or one for each model;
    ``input_range`` of models of your own. quick: the MLP alone and 5 epochs, where nothing else is given. imports,
    unsafe_lambda: as for ``train``. data: by name or path, read as ``reading`` says. jobs: how many runs are trained at
    a time here. ray: a Ray cluster to train on instead, ``auto`` or ``HOST:PORT``; each run asks it for ``run_cpus``
    and ``run_gpus``. device: ``auto``, ``gpu`` or ``cpu``. allow_overlap: go on where test images are training images
    too.

    ``.outcomes`` has one for each run, with its ``.state``, ``.progress`` and ``.test_accuracy``; ``report_study`` says
    what they come to. Ctrl-C ends it, with ``.interrupted``; no finished epoch is lost. Raises UsageError for a grid or
    a name that makes no sense, DataError for data that cannot be had or overlap, BusyError while another process works
    in the folder, MissingExtraError without TensorFlow.
    """
    from toolkit.data import load
    from toolkit.models import weights_files
    from toolkit.runtimes.keras.loading import allowing
    from toolkit.study import grid, study
    from toolkit.study.progress import Board
    from toolkit.worker.keras import reading_for

    extras.require("tensorflow", "matplotlib")
    folder = study.folder_of(name)
    asked = grid.make(axes, quick=quick)
    executor = executor_of(jobs, folder / study.LOG, ray=ray, cpus=run_cpus, gpus=run_gpus)
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        files = chain.from_iterable(map(weights_files, asked.model))
        dataset = load(fspath(data), warn=warn, reading=reading_for(fspath(data), reading, None, *files))
        begun = study.begin(asked, dataset, folder, jobs=executor.jobs, allow_overlap=allow_overlap)
        board = Board(begun, jobs=executor.jobs)
        how = f"{begun.summary}; {asked.describe_epochs()}, {executor.jobs} at a time; in {folder}/"
        for text in (dataset.summary, how):
            on_step(Step(*board.epochs, text, begun, is_news=True))

        def on_event(event: "Event") -> None:
            board.note(event)
            on_step(Step(*board.epochs, event.trial.folder.name, board))

        conduct = partial(study.conduct, begun, executor, device=device, on_event=on_event)
        return until_interrupted(conduct, folder / study.DOCUMENT, study.read)


def report_study(name: str = "study", *, output: str | PathLike[str] | None = None) -> "StudyReport":
    """Chart the runs of a study and weigh what they say; write ``study.md``, ``study.html`` and the best weights.

    name: of the study, which is in ``runs/NAME/``. output: the folder of the report; None stands for that of the study.
    ``.findings`` has the verdict on each claim, ``.to_json()`` is the document of ``toolkit report-study --json``.
    Raises RunError if there is no study of that name or none of its runs has ended, MissingExtraError without
    matplotlib.
    """
    from toolkit.study import report, study

    extras.require("matplotlib")
    folder = study.folder_of(name)
    return report.write(study.read(folder), folder if output is None else Path(output))


def until_interrupted(work: Callable[[], AnyStudy], document: Path, read: Callable[[Path], AnyStudy]) -> AnyStudy:
    """Return what is carried out; if Ctrl-C ends it, what its folder has of it, once its document is written there."""
    try:
        return work()
    except KeyboardInterrupt:
        if not document.is_file():  # nothing was begun
            raise
        return replace(read(document.parent), interrupted=True)


def executor_of(jobs: int, log: Path, *, ray: str | None, cpus: int, gpus: float) -> "Executor":
    """Return what carries out the runs: processes of this machine, or a cluster."""
    from toolkit.study.executors.processes import Processes
    from toolkit.study.executors.ray import connect

    if ray is None:
        return Processes(jobs, log)
    if jobs != 1:
        raise UsageError("--jobs is for this machine, --ray for a cluster; leave out one of them")
    return connect(ray, cpus=cpus, gpus=gpus)
