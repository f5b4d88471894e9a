"""How much the best validation accuracy depends on the learning rate."""

from collections.abc import Iterator
from itertools import product
from statistics import mean

from toolkit.study import words
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, accuracy_scale, legend, new_figure, style, tidy
from toolkit.study.study import Study

ORDER = 2


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart: a panel for each model and loss, a line for each optimizer and activation."""
    grid = study.grid
    rates = sorted(grid.learning_rate)
    best = {
        (one.trial.recipe.seed, *one.configuration.values()): max(0.0, 100 * one.best_validation_accuracy)
        for one in study.outcomes
        if one.ended
    }
    if len(rates) < 2 or not best:
        return
    figure = new_figure(width=2 + 3.4 * len(grid.loss), height=1.4 + 2.6 * len(grid.model))
    panels = figure.subplots(len(grid.model), len(grid.loss), sharex=True, sharey=True, squeeze=False)
    for (row, model), (column, loss) in product(enumerate(grid.model), enumerate(grid.loss)):
        axes = panels[row][column]
        tidy(axes)
        axes.set_xscale("log")
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axes.set_xticks([], minor=True)
        axes.set_title(f"{words.value(model)}, {words.value(loss)}", fontsize=10)
        for position, (optimizer, activation) in enumerate(product(grid.optimizer, grid.activation)):
            look = style(position)
            points = [
                (rate, min(HIGHEST_PERCENT, best[seed, model, optimizer, activation, rate, loss]))
                for rate in rates
                for seed in range(grid.seeds)
                if (seed, model, optimizer, activation, rate, loss) in best
            ]
            means = {rate: mean(value for of, value in points if of == rate) for rate in {of for of, _ in points}}
            axes.plot(sorted(means), [means[rate] for rate in sorted(means)], color=look.colour, ls=look.line, lw=1.3)
            axes.plot(
                [rate for rate, _ in points], [value for _, value in points], ls="none", marker=look.marker, ms=6,
                color=look.colour, mfc=look.filled,
            )  # fmt: skip
            axes.plot(
                [], [], color=look.colour, ls=look.line, marker=look.marker, ms=6, mfc=look.filled,
                label=f"{words.value(optimizer)}, {words.value(activation)}",
            )  # fmt: skip
    for axes in panels.flat:
        accuracy_scale(axes, list(best.values()))
    for axes in panels[-1]:
        axes.set_xlabel("learning rate")
    for axes in panels[:, 0]:
        axes.set_ylabel("best validation accuracy (%)")
    title = "Sensitivity to the learning rate"
    figure.suptitle(title)
    legend(figure, panels[0][0].get_legend_handles_labels()[0])
    caption = (
        "Best validation accuracy over all epochs against the learning rate: a marker for each seed, lines through "
        "their means. The axis is stretched towards 100 %: equal steps are equal factors of the error."
    )
    yield Chart("rate", title, caption, figure)
