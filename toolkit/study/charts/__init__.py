"""The charts of a study: one module each (``base.ChartModule``)."""

from collections.abc import Iterator
from pathlib import Path

from toolkit import drawing
from toolkit.errors import RunError
from toolkit.files import require_no_link
from toolkit.study.charts import base
from toolkit.study.charts.base import Chart
from toolkit.study.study import Study

# Beside the report.
FOLDER = "charts"


def draw(study: Study) -> Iterator[Chart]:
    """Yield every chart of a study, in the order of the report."""
    return base.draw_all(__name__, study)


def save(chart: Chart, folder: Path) -> tuple[Path, Path]:
    """Write a chart as PNG and as SVG, and return their paths. The same figures make the same bytes."""
    require_no_link(folder, error=RunError)
    paths = folder / f"{chart.name}.png", folder / f"{chart.name}.svg"
    for path in paths:
        drawing.save(chart.figure, path)
    return paths
