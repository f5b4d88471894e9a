"""The front on the test set: accuracy with its interval against size and against what an inference computes."""

from collections.abc import Iterator

from toolkit import units
from toolkit.drawing import FAINT, FINE, RING, legend, new_figure, style, tidy
from toolkit.search.search import Search
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, accuracy_scale, log_axis

ORDER = 1
# From an end of the axis to what is drawn there, as a ratio: matplotlib has no margin of a single place.
LEAST_ROOM = 1.5


def draw(search: Search) -> Iterator[Chart]:
    """Yield one chart, once the test set was opened."""
    proof = search.proof
    if proof is None:
        return
    figure = new_figure(width=9.0, height=4.2)
    panels = figure.subplots(1, 2, sharey=True)
    intervals = [proof.accuracy(one) for one in proof.members]
    costs = [search.named(one.name).costs for one in proof.members]
    sizes = ("size of the int8 file (kB)", [one.size_bytes / 1e3 for one in proof.members])
    unit = "MACs" if costs[0].instructions is None else "instructions"
    work = (f"{unit} (thousands)", [one.work / 1e3 for one in costs])
    for axes, (label, places) in zip(panels, (sizes, work), strict=True):
        tidy(axes)
        axes.set_xscale("log")
        room = max((max(places) / min(places)) ** 0.2, LEAST_ROOM)  # the names stand inside
        axes.set_xlim(min(places) / room, max(places) * room)  # before lines, which have no place on an axis of one
        axes.set_xlabel(label)
        values = [100 * one.value for one in intervals]
        reach = [
            [100 * (one.value - one.low) for one in intervals],
            [100 * (one.high - one.value) for one in intervals],
        ]
        axes.errorbar(places, values, yerr=reach, capsize=3, label="int8 file, test set", **style(0).points)
        for place, value, member in zip(places, values, proof.members, strict=True):
            axes.annotate(member.name, (place, value), (7, 4), textcoords="offset points", fontsize=FINE, color=FAINT)
            if member == proof.smallest:
                axes.plot(place, value, label="the smallest that is shown to be what was asked for", **RING)
        if proof.rival_right is not None:
            axes.axhline(100 * proof.rival_right / proof.n, label=f"compared with: {proof.rival}", **style(1).plain)
        if proof.min_accuracy is not None:
            axes.axhline(100 * proof.min_accuracy, label="--min-accuracy", **style(2).plain)
        log_axis(axes.xaxis)
    bounds = [100 * bound for one in intervals for bound in (one.low, min(one.high, HIGHEST_PERCENT / 100))]
    lines = [100 * share for share in (proof.min_accuracy, (proof.rival_right or 0) / proof.n) if share]
    accuracy_scale(panels[0], [*bounds, *lines])
    panels[0].set_ylabel("test accuracy (%)")
    legend(figure, panels[0].get_legend_handles_labels()[0])
    yield Chart(
        "front",
        "Accuracy and cost of the front",
        f"Accuracy of the int8 files on {proof.n:,} test rows, opened once, against what they take. The intervals hold "
        f"together with 95 %: each is at {units.percent(proof.confidence)}. The axis of accuracies is stretched "
        "towards 100 %.",
        figure,
    )
