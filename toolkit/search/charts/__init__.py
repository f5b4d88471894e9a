"""The charts of a search: one module each (``toolkit.study.charts.base.ChartModule``)."""

from collections.abc import Iterator

from toolkit.search.search import Search
from toolkit.study.charts.base import Chart, draw_all


def draw(search: Search) -> Iterator[Chart]:
    """Yield every chart of a search, in the order of the report."""
    return draw_all(__name__, search)
