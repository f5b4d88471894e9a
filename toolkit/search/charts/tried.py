"""Every candidate that was trained: validation accuracy against size."""

from collections.abc import Iterator

from toolkit.drawing import legend, new_figure, style, tidy
from toolkit.search.search import Search
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, accuracy_scale, log_axis
from toolkit.study.trials import TrialState

ORDER = 2
# What is drawn, and how it is called.
_SHOWN = (
    (TrialState.FINISHED, "finished"),
    (TrialState.GIVEN_UP, "given up"),
    (TrialState.DIVERGED, "diverged"),
)


def draw(search: Search) -> Iterator[Chart]:
    """Yield one chart of those that have an epoch at least."""
    trained = [one for one in search.candidates if one.outcome.progress.history]
    if not trained:
        return
    figure = new_figure(width=7.0, height=4.4)
    axes = figure.subplots()
    tidy(axes)
    axes.set_xscale("log")
    axes.set_xlabel("size of the int8 file (kB)")
    axes.set_ylabel("validation accuracy (%)")
    for position, (state, label) in enumerate(_SHOWN):
        own = [one for one in trained if one.outcome.state == state]
        if own:
            heights = [min(HIGHEST_PERCENT, 100 * one.accuracy) for one in own]
            axes.plot([one.costs.size_bytes / 1e3 for one in own], heights, label=label, **style(position).points)
    accuracy_scale(axes, [100 * one.accuracy for one in trained])
    log_axis(axes.xaxis)
    if handles := axes.get_legend_handles_labels()[0]:
        legend(figure, handles)
    yield Chart(
        "tried",
        "What was tried",
        "Each candidate with the validation accuracy of the weights that were kept; of those that were given up, what "
        "they had reached by then. The choice was made by these, without the test set.",
        figure,
    )
