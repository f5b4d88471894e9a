"""``toolkit search``."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.options import (
    AllowOverlap,
    ClusterOptions,
    DataChoice,
    DeviceChoice,
    Printer,
    ReadingOptions,
    given,
    option,
)
from toolkit.console import figure_columns
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.search.budgets import Budgets
    from toolkit.search.report import SearchReport

_budget = partial(option, "What a network may take, and must reach")
_effort = partial(option, "How long the search takes")
_training = partial(option, "How a network is trained in the end")

Name = Annotated[str, typer.Option(help="Name of the search; its candidates are in runs/NAME/.")]
Against = Annotated[
    str | None,
    typer.Option(
        help="What a network must match: a run, an export or a .keras file; default: none, but it is compared with "
        "the CNN of exported/, if that was made for the same data."
    ),
]
Show = Annotated[str | None, typer.Option(help="Show the search of that name or folder; nothing is trained.")]


@dataclass(frozen=True)
class CostOptions:
    """What a network may take, and must reach."""

    max_size: Annotated[str | None, _budget("The largest int8 file: 16kB.")] = None
    max_macs: Annotated[str | None, _budget("The most multiply-accumulates of one inference: 0.2M.")] = None
    max_instructions: Annotated[str | None, _budget("The most instructions of one inference: 0.2M.")] = None
    max_latency: Annotated[str | None, _budget("The longest inference on one thread of this machine: 50us.")] = None
    max_memory: Annotated[str | None, _budget("The most memory that tensors take at a time: 8kB.")] = None
    min_accuracy: Annotated[float | None, _budget("The lowest accuracy, in percent.")] = None

    @property
    def budgets(self) -> "Budgets":
        """The same as numbers."""
        from toolkit.search.budgets import Budgets

        return Budgets.parse(**vars(self))


@dataclass(frozen=True)
class SearchOptions:
    """How long the search takes, and how each network is trained: arguments of ``api.search``."""

    trials: Annotated[int | None, _effort("Candidates at most; default: as many as the hours allow.")] = None
    hours: Annotated[float, _effort("No candidate begins later than that; the last trainings follow.")] = 1.0
    seed: Annotated[int, _effort("Seed of the proposals and of each training.")] = 0
    jobs: Annotated[int, _effort("How many are trained at a time, each with its share of cores.")] = 1
    epochs: Annotated[int, _effort("Epochs of each candidate.")] = 10
    final_epochs: Annotated[
        int, _training("Epochs of those that promise most, trained again from the beginning; 0 for none.")
    ] = 60
    finalists: Annotated[int, _training("How many are trained again at most.")] = 3
    augment: Annotated[str | None, _training("How training images are changed at random, as 'train' takes it.")] = None
    warmup: Annotated[int, _training("Epochs in which the learning rate rises to its value.")] = 0
    average: Annotated[float | None, _training("Decay of the average of the weights: 0.999; default: none.")] = None
    label_smoothing: Annotated[float, _training("Share of a label that all classes get: 0.1.")] = 0.0
    teacher: Annotated[str | None, _training("A run or a .keras file whose answers are learned too.")] = None
    qat: Annotated[
        bool, _training("Learn with the rounding of int8 kernels in the end, as 'train' does it.", "--qat")
    ] = False


def command(
    *,
    context: typer.Context,
    data: DataChoice = "auto",
    name: Name = "search",
    against: Against = None,
    show: Show = None,
    device: DeviceChoice = "auto",
    allow_overlap: AllowOverlap = False,
    costs: CostOptions,
    searching: SearchOptions,
    cluster: ClusterOptions,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Search for the smallest networks within budgets.

    With --min-accuracy or --against, those that are surely as good. If it is called again, it goes on where it was. The
    exit code is 1 if nothing reaches what was asked for.
    """
    if show is not None:
        return _show(console, show, given(context))
    budgets = costs.budgets
    with console.steps("searching") as on_step:
        searched = api.search(
            budgets,
            data=data,
            name=name,
            against=against,
            device=device,
            allow_overlap=allow_overlap,
            reading=reading.asked,
            on_step=on_step,
            **vars(searching),
            **vars(cluster),
        )
    if searched.interrupted:
        return console.interrupt(searched.summary, {**searched.to_json(), "report": None})
    return _report(console, api.report_search(searched.folder))


def _show(console: Printer, show: str, flags: dict[str, str]) -> int:
    """Show a search as it stands. flags: by the names of the options that are given."""
    if others := flags.keys() - {"show", "json", "debug"}:
        raise UsageError(f"--show trains nothing; leave out {', '.join(flags[one] for one in sorted(others))}")
    return _report(console, api.report_search(show))


def _report(console: Printer, written: "SearchReport") -> int:
    """Print the front and what it shows; return the exit code."""
    searched, front = written.search, written.front
    if front.rows:
        console.table(figure_columns(*front.headings), front.rows)
    for one in searched.crashed:
        console.warn(f"{one.name} crashed: {one.outcome.message}")
    console.text(f"{searched.summary}; report: {written.markdown}, {written.html}")
    console.text(f"{written.conclusion}.")
    return console.end(written.to_json(), passed=written.is_found)
