"""How much the test accuracy varies with the seed alone."""

from collections.abc import Iterator
from statistics import mean

from toolkit import units
from toolkit.drawing import style
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, a_row_each, accuracy_scale, by_model
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

ORDER = 4


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart, a row for each configuration; nothing of a single seed."""
    tested = [one for one in study.outcomes if one.test_accuracy is not None]
    if study.grid.seeds < 2 or not tested:
        return
    groups = {
        model: {name: [_percent(one) for one in runs] for name, runs in own.items()}
        for model, own in by_model(tested).items()
    }
    order = sorted(
        dict.fromkeys(name for own in groups.values() for name in own),
        key=lambda name: -max(mean(own[name]) for own in groups.values() if name in own),
    )
    figure, panels = a_row_each(list(groups), order, inches=0.21, sharex=True, xlabel="test accuracy (%)")
    for axes, (model, own) in zip(panels, groups.items(), strict=True):
        look = style(study.grid.model.index(model))
        for name, values in own.items():
            height = order.index(name)
            axes.plot([min(values), max(values)], [height, height], color=look.colour, lw=1)
            axes.plot(values, [height] * len(values), **look.points | {"mfc": "none"})
            axes.plot(mean(values), height, marker="|", ms=11, color="black")
        accuracy_scale(axes, [_percent(one) for one in tested], side="x")
    caption = (
        f"Test accuracy of the best weights for each of {units.count(study.grid.seeds, 'seed')} (open markers), from "
        "lowest to highest (line), and their mean (bar). The axis is stretched towards 100 %."
    )
    yield Chart("seeds", "Spread over seeds", caption, figure)


def _percent(one: TrialOutcome) -> float:
    return min(HIGHEST_PERCENT, 100 * (one.test_accuracy or 0.0))
