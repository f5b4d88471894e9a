"""Epochs and seconds until a validation accuracy is reached, for every configuration."""

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any

from toolkit import words
from toolkit.drawing import FAINT, FINE, legend, new_figure, style, tidy
from toolkit.study.charts.base import Chart, log_axis
from toolkit.study.claims.base import TARGETS
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study
from toolkit.study.trials import DIVERGED

ORDER = 3
# Targets of one configuration stand this far above each other, so that equal ones do not hide each other.
DODGE = 0.28


def draw(study: Study) -> Iterator[Chart]:
    """Yield a chart in epochs and one in seconds."""
    if any(one.ended and one.epochs_until(TARGETS[0]) for one in study.outcomes):
        yield _chart(study, unit="epochs")
        yield _chart(study, unit="seconds")


def _chart(study: Study, *, unit: str) -> Chart:
    grid = study.grid
    groups: dict[str, dict[str, list[Outcome]]] = {model: {} for model in grid.model}
    for one in study.outcomes:
        if one.ended:
            values = one.configuration
            words_of = words.configuration({axis: of for axis, of in values.items() if axis != "model"})
            groups[values["model"]].setdefault(words_of, []).append(one)
    groups = {model: own for model, own in groups.items() if own}
    names = dict.fromkeys(name for own in groups.values() for name in own)
    every = len(names)
    names = dict.fromkeys(name for name in names if any(_reached(own.get(name, [])) for own in groups.values()))
    figure = new_figure(width=3.4 + 3.6 * len(groups), height=1.5 + 0.28 * len(names))
    panels = figure.subplots(1, len(groups), sharex=unit == "epochs", sharey=True, squeeze=False)[0]
    order = sorted(names, key=lambda name: mean(_rank(name, own, unit=unit) for own in groups.values()))
    for axes, (model, own) in zip(panels, groups.items(), strict=True):
        _panel(axes, own, order, unit=unit)
        axes.set_title(words.value(model), fontsize=10)
        axes.set_xlabel(f"{unit} until it is reached")
    panels[0].set_yticks(range(len(order)), order, fontsize=FINE)
    panels[0].set_ylim(len(order) - 0.5, -0.5)
    title = f"{unit.capitalize()} until a validation accuracy is reached"
    figure.suptitle(title)
    legend(figure, panels[0].get_legend_handles_labels()[0])
    shared = " Seconds include validation and, in the first epoch, compiling; they were measured with {} at a time."
    jobs = " and ".join(str(number) for number in study.jobs) + (" run" if study.jobs == (1,) else " runs")
    caption = (
        f"{unit.capitalize()} until the validation accuracy first is 95, 98 and 99 %, on a logarithmic axis; means "
        "over seeds, where all of them get there. A target without a marker was not reached by all seeds in the epochs "
        f"given. Left out: {every - len(names)} of {every} configurations, which get to 95 % with no model; 'not "
        "reached' and 'diverged' mark those that do with another model or seed alone."
        + (" Fast ones are above." if len(groups) == 1 else " Above are those that are fast on average of the models.")
    ) + (shared.format(jobs) if unit == "seconds" else "")
    return Chart(unit, title, caption, figure)


def _reached(runs: Sequence[Outcome]) -> bool:
    return any(one.epochs_until(TARGETS[0]) for one in runs)


def _until(one: Outcome, target: float, *, unit: str) -> float | None:
    return one.epochs_until(target) if unit == "epochs" else one.seconds_until(target)


def _rank(name: str, own: dict[str, list[Outcome]], *, unit: str) -> float:
    """Return the place of a configuration among those of its model, from 0, the fastest to the first target."""

    def slowness(runs: Sequence[Outcome]) -> float:
        reached = [_until(one, TARGETS[0], unit=unit) for one in runs]
        return mean(float("inf") if value is None else value for value in reached) if reached else float("inf")

    return sum(slowness(runs) < slowness(own.get(name, [])) for runs in own.values())


def _panel(axes: Any, own: dict[str, list[Outcome]], order: Sequence[str], *, unit: str) -> None:
    tidy(axes)
    axes.set_xscale("log")
    for position, target in enumerate(TARGETS):
        look = style(position)
        points = []
        for height, name in enumerate(order):
            reached = [_until(one, target, unit=unit) for one in own.get(name, [])]
            if reached and None not in reached:
                points.append((mean(value for value in reached if value is not None), height))
        heights = [y + DODGE * (position - 1) for _, y in points]
        axes.plot([x for x, _ in points], heights, label=f"{target * 100:.0f} %", **look.points)
    for height, name in enumerate(order):
        if name in own and any(one.epochs_until(TARGETS[0]) is None for one in own[name]):
            diverged = any(one.state == DIVERGED for one in own[name])
            axes.text(
                0.98, height, "diverged" if diverged else "not reached", transform=axes.get_yaxis_transform(),
                ha="right", va="center", fontsize=FINE, color=FAINT,
            )  # fmt: skip
    log_axis(axes.xaxis)
