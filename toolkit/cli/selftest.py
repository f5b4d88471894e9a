"""``toolkit selftest``: does ``verify`` catch what it should?"""

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.options import AllowOverlap, LoadingOptions, Margin, Paths, Printer, TestData
from toolkit.console import Console, text_columns
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.selftest.run import SelfTested

COLUMNS = text_columns("fault", "artifact", "caught on the test set by", "by golden", "the gate is")


def command(
    *,
    paths: Paths = None,
    data: TestData = None,
    margin: Margin = DEFAULT_MARGIN_PP,
    reexports: Annotated[int, typer.Option(help="How many exports without a fault are judged as well.")] = 20,
    allow_overlap: AllowOverlap = False,
    code: LoadingOptions,
    console: Printer,
) -> int:
    """Test verify: plant faults, show which check catches each.

    The exit code is 1 if a fault is not caught, or if more than 5 % of the exports without a fault fail.
    """
    with console.steps("planting faults") as show:
        tested = api.selftest(
            *(paths or ()),
            data=data,
            margin_pp=margin,
            reexports=reexports,
            **code.arguments,
            allow_overlap=allow_overlap,
            on_step=show,
        )
    for part in tested.parts:
        _report(console, part)
    return console.end(tested.to_json(), passed=tested)


def _report(console: Console, tested: "SelfTested") -> None:
    rows = [
        (
            outcome.fault,
            outcome.artifact,
            ", ".join(outcome.test_set) or "–",
            "not asked" if outcome.golden is None else ", ".join(outcome.golden) or "–",
            "right" if outcome.right else "WRONG",
        )
        for outcome in tested.outcomes
    ]
    console.table(COLUMNS, sorted(rows, key=lambda row: row[0]))
    wrong = sum(not outcome.right for outcome in tested.outcomes)
    console.text(
        f"{tested.manifest.folder}: {len(rows)} artifacts with and without a fault, {wrong} judged wrong; of "
        f"{tested.reexports} faultless exports with other calibration images {tested.false_alarms} were called fail"
    )
