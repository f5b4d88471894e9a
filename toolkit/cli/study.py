"""``toolkit study``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import extras, units
from toolkit.cli.options import (
    INTERRUPTED,
    AllowOverlap,
    DataChoice,
    Debug,
    ImageSize,
    Json,
    Keys,
    ResizeTo,
    SkipUnreadable,
    reading,
)
from toolkit.console import Column, Console, Standing
from toolkit.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from toolkit.reading import Reading
    from toolkit.study.executors.base import Event
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


def command(
    model: Annotated[str | None, typer.Option(help="One or several with commas; default: cnn,mlp.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="Default: adam,sgd.")] = None,
    activation: Annotated[str | None, typer.Option(help="Default: relu,sigmoid.")] = None,
    learning_rate: Annotated[str | None, typer.Option(help="Default: 0.001,0.01,0.1.")] = None,
    loss: Annotated[str | None, typer.Option(help="Default: categorical_crossentropy,mse.")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many times each, with seeds from 0; default: 1.")] = None,
    epochs: Annotated[
        str | None, typer.Option(help="Of each run; one number, or one for each model with commas; default: 100.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Minutes: the MLP alone, 5 epochs, unless given.")] = False,
    data: DataChoice = "auto",
    jobs: Annotated[int, typer.Option(help="Runs at a time, each in a process with its share of the cores.")] = 1,
    ray: Annotated[
        str | None, typer.Option(help="Spread the runs over a Ray cluster: auto (of this machine) or HOST:PORT.")
    ] = None,
    run_cpus: Annotated[int, typer.Option(help="CPUs that each run asks of the Ray cluster.")] = 1,
    run_gpus: Annotated[float, typer.Option(help="GPUs that each run asks of it; a part of one for several.")] = 0.0,
    device: Annotated[str, typer.Option(help="auto (a GPU where there is one), gpu or cpu.")] = "auto",
    name: Annotated[str, typer.Option(help="Of the study; its runs are in runs/NAME/.")] = "study",
    report: Annotated[
        bool, typer.Option("--report", help="Train nothing: write the report of the study of that name as it stands.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="The folder of the report; default: runs/NAME/.")] = None,
    allow_overlap: AllowOverlap = False,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train a grid of recipes, chart them, and weigh what they say. Called again, it goes on where it was."""
    from toolkit.study import study as studies
    from toolkit.study.executors.processes import Processes
    from toolkit.study.executors.ray import Ray, connect
    from toolkit.training.device import DEVICES

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
        of = studies.read(folder)
    else:
        if device not in DEVICES:
            raise UsageError(f"unknown device '{device}'; allowed: {', '.join(DEVICES)}")
        if ray is not None and jobs != 1:
            raise UsageError("--jobs is for this machine, --ray for a cluster; leave out one of them")
        executor: Processes | Ray = Processes(jobs, folder / studies.LOG)
        if ray is not None:
            executor = connect(ray, cpus=run_cpus, gpus=run_gpus)
        of, interrupted = perform(
            console,
            _grid(axes, quick=quick),
            folder,
            executor,
            data=data,
            reading=reading(image_size, resize, skip_unreadable, keys),
            device=device,
            allow_overlap=allow_overlap,
        )
        if interrupted:
            console.warn(f"interrupted: {studies.summarise(of)}; call the same again to go on")
            console.document({**of.to_json(), "interrupted": True, "claims": [], "report": None})
            return INTERRUPTED
    return conclude(console, of, output or folder)


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
    """Write the report, print what there is, and return the exit code: 1 where a run crashed."""
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
