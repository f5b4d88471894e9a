"""The charts of a study: one module each, with ``ORDER`` and ``draw(study)``, which yields what there is to show."""

from collections.abc import Iterator
from pathlib import Path

from toolkit import extras, registry
from toolkit.files import atomic
from toolkit.study.charts.base import Chart
from toolkit.study.study import Study

# Beside the report.
FOLDER = "charts"
PNG_DPI = 110


def draw(study: Study) -> Iterator[Chart]:
    """Yield every chart of a study, in the order of the report."""
    modules = [registry.member(__name__, name, kind="chart") for name in registry.names(__name__)]
    for module in sorted(modules, key=lambda module: int(module.ORDER)):
        yield from module.draw(study)


def save(chart: Chart, folder: Path) -> tuple[Path, Path]:
    """Write a chart as PNG and as SVG, and return their paths. The same figures make the same bytes."""
    matplotlib = extras.load("matplotlib")
    paths = folder / f"{chart.name}.png", folder / f"{chart.name}.svg"
    with matplotlib.rc_context({"svg.hashsalt": chart.name}):
        for path, nothing in zip(paths, ({"Software": None}, {"Date": None}), strict=True):
            with atomic(path) as temporary:
                chart.figure.savefig(temporary, dpi=PNG_DPI, metadata=nothing)
            chart.figure.set_layout_engine("none")  # what was laid out for the first stays where it is
    return paths
