"""Which choices mattered for the validation accuracy."""

from collections.abc import Iterator

from toolkit.drawing import BLUE, new_figure, tidy
from toolkit.search.proposals import importances
from toolkit.search.search import Search
from toolkit.study.charts.base import Chart

ORDER = 3


def draw(search: Search) -> Iterator[Chart]:
    """Yield one chart, if enough was tried to tell."""
    shares = importances([one.result for one in search.candidates if not one.is_finalist])
    if not shares:
        return
    names = [name.replace("_", " ") for name in shares]
    figure = new_figure(width=6.0, height=1.2 + 0.35 * len(shares))
    axes = figure.subplots()
    tidy(axes)
    axes.barh(names, [100 * share for share in shares.values()], color=BLUE)
    axes.invert_yaxis()
    axes.set_xlabel("importance (%)")
    yield Chart(
        "choices",
        "Which choices mattered",
        "How much each choice told the best tenth of the candidates from the rest, by validation accuracy (PED-ANOVA, "
        "Watanabe et al. 2023). It describes what was tried here, and no other network.",
        figure,
    )
