"""``toolkit localize``: where does an artifact leave its Keras original?"""

from collections import Counter
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import LoadingOptions, Printer, Runtime
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.parity.localize import Localized

COLUMNS = (Column("layer", figures=False), Column("alone"), Column("with all before"), Column("difference"))


def command(
    *,
    artifact: Annotated[Path, typer.Argument(help="An exported file; its manifest and Keras original lie beside it.")],
    picture: Annotated[Path, typer.Option(help="The picture to write: .png or .svg.")] = Path("layers.png"),
    runtime: Runtime = None,
    code: LoadingOptions,
    console: Printer,
) -> int:
    """Compare an artifact with its Keras original layer by layer.

    The exit code is 1 if a layer is damaged: if it adds more noise than its arithmetic explains.
    """
    localized = api.localize(artifact, picture=picture, **code.arguments, runtime=runtime)
    _report(console, localized)
    culprit = localized.culprit
    named = f"first damaged layer: {culprit.name}" if culprit else "no layer is damaged"
    console.text(f"{artifact}: {named} (one that adds more noise than {localized.least_db:.0f} dB); picture: {picture}")
    return console.end(localized.to_json(), passed=localized.passed)


def _report(console: Console, localized: "Localized") -> None:
    rows = [
        (layer.name, _decibels(layer.own_sqnr_db), _decibels(layer.sqnr_db), f"{layer.max_abs_error:.1e}")
        for layer in localized.layers
    ]
    console.table(COLUMNS, rows)
    if localized.unmatched:
        console.text(f"no tensor of its own in the artifact: {', '.join(localized.unmatched)}")
    counts = Counter(operator.kernels for operator in localized.operators)
    ran = (f"{kernels} runs {units.count(number, 'operator')}" for kernels, number in counts.items())
    console.text(f"kernels: {', '.join(ran)}")
    for other in localized.kernel_sets:
        difference = f"{other.max_abs_error:.1e}" if other.max_lsb is None else f"{other.max_lsb:.0f} LSB"
        console.text(f"with {other.kernels} kernels: {other.flips} flips, outputs differ by at most {difference}")
    for note in localized.portability.notes:
        cause = localized.portability.here and note == str(localized.portability)
        console.text(f"cause: {note}" if cause else note)


def _decibels(ratio: float) -> str:
    return "exact" if ratio == inf else f"{ratio:.1f} dB"
