"""What a benchmark tried of the runtimes' settings, and the lines of code that set what won."""

from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.console import Console, figure_columns, text_columns

if TYPE_CHECKING:
    from toolkit.bench.record import Record

COLUMNS = (*NAME_COLUMNS, *text_columns("setting"), *figure_columns("speed-up", "95 %"), *text_columns(""))
LEGEND = """\
speed-up: over the settings that toolkit takes, one thread and one image, input and output counted, timed side by side
in one process; 95 %: of all settings of an artifact together, since the best of them is looked for."""


def report(console: Console, record: "Record") -> None:
    """Print all that was tried, and the line of code that sets what won."""
    from toolkit.bench.statistics import describe

    if not record.tuned:
        return
    console.heading("Settings of the runtimes")
    runtimes = {result.path: result.runtime for result in record.results}
    console.table(
        COLUMNS,
        [
            (
                path.name,
                runtimes[path],
                one.setting,
                f"{speedup.value:.3f}×",
                f"{speedup.low:.3f} – {speedup.high:.3f}",
                describe(speedup),
            )
            for path, tuned in record.tuned.items()
            for one, speedup in zip(tuned.tried, tuned.speedups(), strict=True)
        ],
    )
    console.legend(LEGEND)
    for path, tuned in record.tuned.items():
        what = f"{path.name} ({runtimes[path]})"
        for setting, why in tuned.left_out:
            console.text(f"not timed {what}: {setting}: {why}")
        tried = units.count(len(tuned.tried), "setting")
        if not (tuned.tried or tuned.left_out):
            console.text(f"tuned {what}: its runtime has no settings to try")
        elif tuned.best:
            console.text(f"tuned {what}: {tuned.best.setting}, by this line: {tuned.best.line}")
        else:
            console.text(f"tuned {what}: of {tried} tried, none is surely faster than what toolkit takes")
