"""``toolkit study``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import extras, units
from toolkit.cli.options import (
    INTERRUPTED,
    OUTPUT,
    AllowOverlap,
    DataChoice,
    Debug,
    DeviceChoice,
    ImageSize,
    Json,
    Keys,
    ResizeTo,
    SkipUnreadable,
    Stride,
    Window,
    option,
    reading,
)
from toolkit.console import Column, Console, Standing
from toolkit.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from toolkit.reading import Reading
    from toolkit.study.executors.base import Event
    from toolkit.study.executors.processes import Processes
    from toolkit.study.executors.ray import Ray
    from toolkit.study.grid import Grid
    from toolkit.study.report import StudyReport
    from toolkit.study.study import Study

LIVE_COLUMNS = (
    Column("run", figures=False),
    Column("state", figures=False),
    Column("epochs"),
    Column("validation accuracy"),
    Column("training time"),
    Column("time left"),
)
RUN_COLUMNS = (
    Column("run", figures=False),
    Column("state", figures=False),
    Column("epochs"),
    Column("best epoch"),
    Column("best validation accuracy"),
    Column("test accuracy"),
    Column("training time"),
)
CLAIM_COLUMNS = (
    Column("", figures=False),
    Column("claim", figures=False),
    Column("verdict", figures=False),
)

# What is a number among the axes and the epochs, and how several are given.
_NUMBERS: dict[str, tuple[type[float] | type[int], str]] = {
    "learning_rate": (float, "0.001,0.01"),
    "epochs": (int, "20,100"),
}


_of_grid = partial(option, "What is compared")
_cluster = partial(option, "On a cluster")


def _axis(what: str, default: str) -> Any:
    return _of_grid(f"{what}, with commas; default: {default}.")


def command(
    data: DataChoice = "auto",
    jobs: Annotated[int, typer.Option(help="How many runs are trained at a time, each with its share of cores.")] = 1,
    device: DeviceChoice = "auto",
    name: Annotated[str, typer.Option(help="Name of the study; its runs are in runs/NAME/.")] = "study",
    report: Annotated[
        bool, typer.Option("--report", help="Train nothing: write the report of the study --name.")
    ] = False,
    allow_overlap: AllowOverlap = False,
    model: Annotated[str | None, _axis("Networks", "cnn,mlp")] = None,
    optimizer: Annotated[str | None, _axis("Optimizers", "adam,sgd")] = None,
    activation: Annotated[str | None, _axis("Activations of hidden layers", "relu,sigmoid")] = None,
    learning_rate: Annotated[str | None, _axis("Learning rates", "0.001,0.01,0.1")] = None,
    loss: Annotated[str | None, _axis("Losses", "categorical_crossentropy,mse")] = None,
    epochs: Annotated[str | None, _axis("Epochs of each run: one number, or one for each network", "100")] = None,
    seeds: Annotated[int | None, _of_grid("How often each recipe is trained, from seed 0; default: 1.")] = None,
    quick: Annotated[bool, _of_grid("Minutes: the MLP alone, 5 epochs, unless given.", "--quick")] = False,
    ray: Annotated[str | None, _cluster("Train on a Ray cluster: auto (of this machine) or HOST:PORT.")] = None,
    run_cpus: Annotated[int, _cluster("CPUs that each run asks for.")] = 1,
    run_gpus: Annotated[float, _cluster("GPUs that each run asks for; a part of one for several.")] = 0.0,
    output: Annotated[Path | None, option(OUTPUT, "The folder of the report; default: runs/NAME/.")] = None,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    window: Window = None,
    stride: Stride = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train a grid of recipes, chart them, and weigh what they say.

    If it is called again, it goes on where it was.
    """
    from toolkit.study import study as studies

    console = Console(json_output=json)
    extras.require("tensorflow")
    extras.require("matplotlib")
    folder = _folder(name)
    axes = {
        "model": model,
        "optimizer": optimizer,
        "activation": activation,
        "learning_rate": learning_rate,
        "loss": loss,
        "seeds": seeds,
        "epochs": epochs,
    }
    if report:
        if quick or any(value is not None for value in axes.values()):
            raise UsageError("--report tells of the study that is there; leave out --report, or --quick and the axes")
        return conclude(console, studies.read(folder), output or folder)
    of, interrupted = perform(
        console,
        _grid(axes, quick=quick),
        folder,
        _executor(jobs, folder / studies.LOG, ray=ray, cpus=run_cpus, gpus=run_gpus),
        data=data,
        reading=reading(image_size, resize, skip_unreadable, keys, window, stride),
        device=device,
        allow_overlap=allow_overlap,
    )
    if interrupted:
        console.warn(f"interrupted: {studies.summarise(of)}; call the same again to go on")
        console.document({**of.to_json(), "interrupted": True, "claims": [], "report": None})
        return INTERRUPTED
    return conclude(console, of, output or folder)


def _executor(jobs: int, log: Path, *, ray: str | None, cpus: int, gpus: float) -> "Processes | Ray":
    """Return what carries out the runs: processes of this machine, or a cluster."""
    from toolkit.study.executors.processes import Processes
    from toolkit.study.executors.ray import connect

    if ray is None:
        return Processes(jobs, log)
    if jobs != 1:
        raise UsageError("--jobs is for this machine, --ray for a cluster; leave out one of them")
    return connect(ray, cpus=cpus, gpus=gpus)


def perform(
    console: Console,
    grid: "Grid",
    folder: Path,
    executor: Any,
    *,
    data: str,
    reading: "Reading | None",
    device: str,
    allow_overlap: bool,
) -> tuple["Study", bool]:
    """Train what is due with a live table; return the study and whether Ctrl-C ended it."""
    from toolkit.data import load
    from toolkit.reading import AS_THEY_ARE
    from toolkit.study import study as studies
    from toolkit.study.progress import Board

    dataset = load(data, warn=console.warn, reading=reading or AS_THEY_ARE)
    of = studies.begin(grid, dataset, folder, jobs=executor.jobs, allow_overlap=allow_overlap)
    console.note(f"data: {dataset.name} ({dataset.origin}), {dataset.counts} images")
    console.note(f"{studies.summarise(of)}; {grid.describe_epochs()}, {executor.jobs} at a time; in {folder}/")
    board = Board(of, jobs=executor.jobs)
    try:
        with console.live() as show:

            def on_event(event: "Event") -> None:
                board.note(event)
                show(lambda: Standing(board.share, board.headline(), LIVE_COLUMNS, board.rows()))

            return studies.conduct(of, executor, device=device, on_event=on_event), False
    except KeyboardInterrupt:
        return studies.read(folder), True


def conclude(console: Console, of: "Study", folder: Path) -> int:
    """Write the report, print what there is, and return the exit code: 1 if a run crashed."""
    from toolkit.study import report
    from toolkit.study.study import summarise
    from toolkit.study.trials import TrialState

    written = report.write(of, folder)
    _print(console, written)
    for one in of.outcomes:
        if one.message:
            console.warn(f"{one.trial.folder.name}: {one.message}")
    console.text(f"{summarise(of)}; report: {written.markdown}, {written.html} ({len(written.charts) // 2} charts)")
    if written.weights:
        console.text(f"weights of the best: {', '.join(map(str, written.weights))}; 'toolkit export FILE' takes them")
    console.document(
        {
            **of.to_json(),
            "interrupted": False,
            "claims": [finding.to_json() for finding in written.findings],
            "report": {
                "markdown": str(written.markdown),
                "html": str(written.html),
                "weights": [str(path) for path in written.weights],
            },
        }
    )
    return CheckFailedError.exit_code if of.count(TrialState.CRASHED) else 0


def _print(console: Console, written: "StudyReport") -> None:
    rows = []
    for one in written.study.outcomes:
        accuracy = one.test_accuracy
        history = one.progress.history
        rows.append(
            (
                one.trial.folder.name,
                one.state,
                str(len(history)),
                str(one.progress.best_epoch or ""),
                units.percent(one.best_validation_accuracy) if history else "",
                "" if accuracy is None else units.marked(units.percent(accuracy), overlap=written.study.overlap),
                units.seconds(one.seconds) if history else "",
            )
        )
    console.table(RUN_COLUMNS, rows)
    console.table(CLAIM_COLUMNS, [(one.letter, one.claim, one.verdict) for one in written.findings])
    for finding in written.findings:
        console.text(f"({finding.letter}) {finding.summary}. Figure: {finding.figure}.")


def _folder(name: str) -> Path:
    from toolkit.runs import RUNS

    if Path(name).name != name or name in (".", ".."):
        raise UsageError(f"'{name}' cannot name a study; a name has no slash, its folder is {RUNS}/NAME")
    return RUNS / name


def _grid(given: dict[str, Any], *, quick: bool) -> "Grid":
    from toolkit.study.grid import QUICK, Grid

    chosen: dict[str, Any] = dict(QUICK) if quick else {}
    for name, value in given.items():
        if value is not None:
            chosen[name] = _values(name, value) if isinstance(value, str) else value
    return Grid(**chosen)


def _values(name: str, text: str) -> tuple[str | float | int, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    number, example = _NUMBERS.get(name, (str, ""))
    try:
        return tuple(number(part) for part in parts)
    except ValueError as error:
        option = "--" + name.replace("_", "-")
        raise UsageError(f"{option} is '{text}'; it must be numbers with commas, as in {example}") from error
