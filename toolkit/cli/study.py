"""``toolkit study``."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from toolkit import api, units
from toolkit.cli.options import (
    OUTPUT,
    AllowOverlap,
    ClusterOptions,
    DataChoice,
    DeviceChoice,
    InputRange,
    LoadingOptions,
    Printer,
    ReadingOptions,
    option,
)
from toolkit.console import Console, Standing, figure_columns, text_columns
from toolkit.errors import CheckFailedError, UsageError
from toolkit.step import Step

if TYPE_CHECKING:
    from toolkit.study.progress import Board
    from toolkit.study.report import StudyReport

LIVE_COLUMNS = (
    *text_columns("run", "state"),
    *figure_columns("epochs", "validation accuracy", "training time", "time left"),
)
RUN_COLUMNS = (
    *text_columns("run", "state"),
    *figure_columns("epochs", "best epoch", "best validation accuracy", "test accuracy", "training time"),
)
CLAIM_COLUMNS = text_columns("", "claim", "verdict")

# What is a number among the axes and the epochs, and how several are given.
_NUMBERS: dict[str, tuple[type[float] | type[int], str]] = {
    "learning_rate": (float, "0.001,0.01"),
    "epochs": (int, "20,100"),
}
# Between two values: a comma before KEY= stands in the options of a model.
_COMMA = r",(?!\s*\w+=)"

_of_grid = partial(option, "What is compared")

StudyName = Annotated[str, typer.Option(help="Name of the study; its runs are in runs/NAME/.")]
ReportFolder = Annotated[Path | None, option(OUTPUT, "The folder of the report; default: runs/NAME/.", "--output")]


def _axis(what: str, default: str) -> Any:
    return _of_grid(f"{what}, with commas; default: {default}.")


@dataclass(frozen=True)
class AxisOptions:
    """What is compared: the values on each axis, with commas."""

    model: Annotated[str | None, _axis("Networks", "cnn,mlp")] = None
    optimizer: Annotated[str | None, _axis("Optimizers", "adam,sgd")] = None
    activation: Annotated[str | None, _axis("Activations of hidden layers", "relu,sigmoid")] = None
    learning_rate: Annotated[str | None, _axis("Learning rates", "0.001,0.01,0.1")] = None
    loss: Annotated[str | None, _axis("Losses", "categorical_crossentropy,mse")] = None
    epochs: Annotated[str | None, _axis("Epochs of each run: one number, or one for each network", "100")] = None


def command(
    *,
    data: DataChoice = "auto",
    jobs: Annotated[int, typer.Option(help="How many runs are trained at a time, each with its share of cores.")] = 1,
    device: DeviceChoice = "auto",
    name: StudyName = "study",
    allow_overlap: AllowOverlap = False,
    axes: AxisOptions,
    seeds: Annotated[int | None, _of_grid("How often each recipe is trained, from seed 0; default: 1.")] = None,
    quick: Annotated[bool, _of_grid("Minutes: the MLP alone, 5 epochs, unless given.", "--quick")] = False,
    input_range: InputRange = None,
    loading: LoadingOptions,
    cluster: ClusterOptions,
    output: ReportFolder = None,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Train a grid of recipes, chart them, weigh what they say.

    If it is called again, it goes on where it was. The exit code is 1 if a run crashed.
    """
    grid: dict[str, Any] = {axis: _values(axis, text) for axis, text in vars(axes).items() if text is not None}
    grid |= {name: one for name, one in (("seeds", seeds), ("input_range", input_range)) if one is not None}
    with console.live_steps(_standing) as show:
        studied = api.study(
            data=data,
            name=name,
            jobs=jobs,
            device=device,
            reading=reading.asked,
            imports=loading.imports or (),
            unsafe_lambda=loading.unsafe_lambda,
            allow_overlap=allow_overlap,
            quick=quick,
            on_step=show,
            **vars(cluster),
            **grid,
        )
    if studied.interrupted:
        return console.interrupt(
            studied.summary, {**studied.to_json(), "interrupted": True, "claims": [], "report": None}
        )
    written = api.report_study(name, output=output)
    report(console, written)
    console.document(written.to_json())
    return exit_code(written)


def _standing(step: Step) -> Standing:
    """Return what a live table shows at a step of ``api.study``."""
    board = cast("Board", step.about)
    return Standing(board.share, board.headline(), LIVE_COLUMNS, board.rows())


def report(console: Console, written: "StudyReport") -> None:
    """Print the runs of a study, the verdicts on the claims, and where the report is."""
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
    for one in written.study.outcomes:
        if one.message:
            console.warn(f"{one.trial.folder.name}: {one.message}")
    charts = f"{len(written.charts) // 2} charts"
    console.text(f"{written.study.summary}; report: {written.markdown}, {written.html} ({charts})")
    if written.weights:
        console.text(f"weights of the best: {', '.join(map(str, written.weights))}; 'toolkit export FILE' takes them")


def exit_code(written: "StudyReport") -> int:
    """Return the exit code of a study: 1 if a run crashed."""
    from toolkit.study.trials import TrialState

    return CheckFailedError.exit_code if written.study.count(TrialState.CRASHED) else 0


def _values(name: str, text: str) -> tuple[str | float | int, ...]:
    parts = tuple(part.strip() for part in re.split(_COMMA, text) if part.strip())
    number, example = _NUMBERS.get(name, (str, ""))
    try:
        return tuple(number(part) for part in parts)
    except ValueError as error:
        option = "--" + name.replace("_", "-")
        raise UsageError(f"{option} is '{text}'; it must be numbers with commas, as in {example}") from error
