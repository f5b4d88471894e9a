"""The charts of a study: one module each (``base.ChartModule``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from toolkit import drawing, registry
from toolkit.study.charts.base import Chart, ChartModule
from toolkit.study.study import Study

# Beside the report.
FOLDER = "charts"


def draw(study: Study) -> Iterator[Chart]:
    """Yield every chart of a study, in the order of the report."""
    modules = [cast("ChartModule", registry.member(__name__, name, kind="chart")) for name in registry.names(__name__)]
    for module in sorted(modules, key=lambda module: module.ORDER):
        for chart in module.draw(study):
            chart.figure.suptitle(chart.title, fontsize=11)
            yield chart


def save(chart: Chart, folder: Path) -> tuple[Path, Path]:
    """Write a chart as PNG and as SVG, and return their paths. The same figures make the same bytes."""
    paths = folder / f"{chart.name}.png", folder / f"{chart.name}.svg"
    for path in paths:
        drawing.save(chart.figure, path)
    return paths
