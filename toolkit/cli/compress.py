"""``toolkit compress``."""

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import AllowOverlap, Printer
from toolkit.console import figure_columns, text_columns

if TYPE_CHECKING:
    from toolkit.compress.candidates import PrunedCandidate
    from toolkit.compress.compression import Compression

COLUMNS = (
    *text_columns(""),
    *figure_columns("channels", "size", "MACs", "validation", "test", "loss (points)"),
    *text_columns("verdict"),
)
_NOTHING = "–"


def command(
    *,
    source: Annotated[
        str, typer.Argument(help="A trained model: a run, by name or folder, an export, or a .keras file.")
    ],
    max_size: Annotated[str, typer.Option(help="The largest int8 file: 16kB.")],
    min_accuracy: Annotated[
        float | None,
        typer.Option(help="The lowest accuracy, in percent; default: at most 0.1 points below that of the original."),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of each training.")] = 20,
    data: Annotated[
        str | None, typer.Option(help="The data to train and test with; default: what the run was trained on.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the compression; its candidates are in runs/NAME/.")] = "compress",
    allow_overlap: AllowOverlap = False,
    console: Printer,
) -> int:
    """Make a trained model smaller, and prove that it is as good.

    Channels that matter least are pruned until the int8 file fits, and what is left learns from the original. If it is
    called again, it goes on where it was. The exit code is 1 if nothing reaches what was asked for.
    """
    from toolkit.search.budgets import Budgets

    budgets = Budgets.parse(max_size=max_size, min_accuracy=min_accuracy)
    with console.steps("compressing") as on_step:
        compression = api.compress(
            source, budgets, epochs=epochs, data=data, name=name, allow_overlap=allow_overlap, on_step=on_step
        )
    if compression.interrupted:
        return console.interrupt(compression.summary, compression.to_json())
    console.table(COLUMNS, [_original(compression), *(_row(compression, one) for one in compression.candidates)])
    console.text(f"{_conclusion(compression)}.")
    return console.end(compression.to_json(), passed=compression.smallest)


def _original(compression: "Compression") -> tuple[str, ...]:
    original, proof = compression.original, compression.proof
    right = None if proof is None or proof.rival_right is None else proof.rival_right / proof.n
    return (
        original.name,
        "100 %",
        units.size(original.costs.size_bytes),
        f"{original.costs.macs:,}",
        units.percent(original.accuracy),
        _NOTHING if right is None else _marked(compression, units.percent(right)),
        _NOTHING,
        _NOTHING,
    )


def _row(compression: "Compression", one: "PrunedCandidate") -> tuple[str, ...]:
    known = (
        one.name,
        f"{100 * one.share:.0f} %{', low rank' if one.low_rank else ''}",
        units.size(one.costs.size_bytes),
        f"{one.costs.macs:,}",
        units.percent(one.accuracy) if one.outcome.progress.history else _NOTHING,
    )
    proof, member = compression.proof, compression.member(one.name)
    if proof is None or member is None:
        return (*known, _NOTHING, _NOTHING, _NOTHING if one.outcome.metrics else str(one.outcome.state))
    test = _marked(compression, proof.accuracy_text(member))
    return (*known, test, proof.loss_text(member) or _NOTHING, str(member.verdict))


def _conclusion(compression: "Compression") -> str:
    """Say in a sentence what was found, or why nothing was, and what came nearest."""
    proof, smallest = compression.proof, compression.smallest
    if proof is not None and smallest is not None:
        export = f"toolkit export {compression.folder.name}/{smallest.name}"
        return (
            f"{smallest.name} is the smallest that is {_wanted(compression)}: {units.size(smallest.size_bytes)} with "
            f"{proof.accuracy_text(smallest)} on the test set; '{export}' exports it"
        )
    nothing = f"nothing under {units.size(compression.asked.budgets.max_size_bytes or 0)} is {_wanted(compression)}"
    if proof is not None:
        nearest = max(proof.members, key=lambda one: one.right)
        return f"{nothing}; nearest: {nearest.name} with {proof.accuracy_text(nearest)} on the test set"
    if large := compression.too_large:
        return f"{nothing}; {large}"
    best = max(compression.finished, key=lambda one: one.accuracy, default=None)
    if best is None:
        return f"{nothing}: {compression.summary}"
    return (
        f"{nothing}; nearest: {best.name} ({units.size(best.costs.size_bytes)}) with {units.percent(best.accuracy)} on "
        f"the validation rows, where {units.percent(compression.least_accuracy)} was needed; the test set was left "
        "closed"
    )


def _wanted(compression: "Compression") -> str:
    from toolkit.search.proof import MARGIN_PP

    least = compression.asked.budgets.min_accuracy
    if least is None:
        return f"surely not worse than {compression.asked.teacher} by more than {MARGIN_PP:g} points"
    return f"surely at least {100 * least:g} % accurate"


def _marked(compression: "Compression", text: str) -> str:
    return units.marked(text, overlap=compression.data["overlap"])
