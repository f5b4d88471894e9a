"""Every candidate that was trained: validation accuracy against size."""

from collections.abc import Iterator

from toolkit.drawing import RING, legend, new_figure, style, tidy
from toolkit.search.search import Search
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, accuracy_scale, log_axis
from toolkit.study.trials import TrialState

ORDER = 2
# What is drawn, how it is called, and how it looks.
_SHOWN = (
    (TrialState.FINISHED, "finished", style(0).points),
    (TrialState.GIVEN_UP, "given up", style(1).points),
    (TrialState.DIVERGED, "diverged", style(2).points),
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
    front = {member.name for member in search.proof.members} if search.proof else set()
    groups = [(label, look, [one for one in trained if one.outcome.state == state]) for state, label, look in _SHOWN]
    for label, look, own in [*groups, ("on the front", RING, [one for one in trained if one.name in front])]:
        if own:
            heights = [min(HIGHEST_PERCENT, 100 * one.accuracy) for one in own]
            axes.plot([one.costs.size_bytes / 1e3 for one in own], heights, label=label, **look)
    accuracy_scale(axes, [100 * one.accuracy for one in trained])
    log_axis(axes.xaxis)
    if handles := axes.get_legend_handles_labels()[0]:
        legend(figure, handles)
    yield Chart(
        "tried",
        "What was tried",
        "Each candidate with the validation accuracy of the weights that were kept; of those that were given up, what "
        "they had reached by then. The choice was made by these, without the test set; rings mark it once it is made.",
        figure,
    )
