"""How much the test accuracy varies with the seed alone."""

from collections.abc import Iterator
from statistics import mean

from toolkit import units, words
from toolkit.drawing import FINE, new_figure, style, tidy
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, accuracy_scale
from toolkit.study.study import Study

ORDER = 4


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart, a row for each configuration; nothing of a single seed."""
    groups: dict[str, dict[str, list[float]]] = {}
    for one in study.outcomes:
        if one.test_accuracy is not None:
            held = {axis: of for axis, of in one.configuration.items() if axis != "model"}
            name = words.configuration(held)
            groups.setdefault(one.trial.recipe.model, {}).setdefault(name, []).append(
                min(HIGHEST_PERCENT, 100 * one.test_accuracy)
            )
    if study.grid.seeds < 2 or not groups:
        return
    order = sorted(
        dict.fromkeys(name for own in groups.values() for name in own),
        key=lambda name: -max(mean(own[name]) for own in groups.values() if name in own),
    )
    figure = new_figure(width=3.4 + 3.6 * len(groups), height=1.4 + 0.21 * len(order))
    panels = figure.subplots(1, len(groups), sharey=True, sharex=True, squeeze=False)[0]
    every = [value for own in groups.values() for values in own.values() for value in values]
    for axes, (model, own) in zip(panels, groups.items(), strict=True):
        tidy(axes)
        look = style(study.grid.model.index(model))
        for height, name in enumerate(order):
            values = own.get(name, [])
            if values:
                axes.plot([min(values), max(values)], [height, height], color=look.colour, lw=1)
                axes.plot(values, [height] * len(values), **look.points | {"mfc": "none"})
                axes.plot(mean(values), height, marker="|", ms=11, color="black")
        axes.set_title(words.value(model), fontsize=10)
        axes.set_xlabel("test accuracy (%)")
        accuracy_scale(axes, every, of="x")
    panels[0].set_yticks(range(len(order)), order, fontsize=FINE)
    panels[0].set_ylim(len(order) - 0.5, -0.5)
    title = "Spread over seeds"
    figure.suptitle(title)
    caption = (
        f"Test accuracy of the best weights for each of {units.count(study.grid.seeds, 'seed')} (open markers), from "
        "lowest to highest (line), and their mean (bar). The axis is stretched towards 100 %."
    )
    yield Chart("seeds", title, caption, figure)
