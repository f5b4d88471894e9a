"""Epochs and seconds until a validation accuracy is reached, for every configuration."""

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any

from toolkit.drawing import FAINT, FINE, legend, style
from toolkit.study.charts.base import Chart, a_row_each, by_model, log_axis
from toolkit.study.claims.base import TARGETS
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState

ORDER = 3
# Targets of one configuration stand this far above each other, so that equal ones do not hide each other.
DODGE = 0.28


def draw(study: Study) -> Iterator[Chart]:
    """Yield a chart in epochs and one in seconds."""
    if any(one.ended and one.epochs_until(TARGETS[0]) for one in study.outcomes):
        yield _chart(study, unit="epochs")
        yield _chart(study, unit="seconds")


def _chart(study: Study, *, unit: str) -> Chart:
    groups = by_model([one for one in study.outcomes if one.ended])
    every = dict.fromkeys(name for own in groups.values() for name in own)
    reached = [one for one in study.outcomes if one.ended and one.epochs_until(TARGETS[0])]
    names = dict.fromkeys(name for own in by_model(reached).values() for name in own)
    order = sorted(names, key=lambda name: mean(_rank(name, own, unit=unit) for own in groups.values()))
    figure, panels = a_row_each(
        list(groups), order, inches=0.28, sharex=unit == "epochs", xlabel=f"{unit} until it is reached"
    )
    for axes, own in zip(panels, groups.values(), strict=True):
        _panel(axes, own, order, unit=unit)
    if unit == "epochs":  # of which there is none before the first
        panels[0].set_xlim(left=max(0.8, panels[0].get_xlim()[0]))
    legend(figure, panels[0].get_legend_handles_labels()[0])
    shared = " Seconds include validation and, in the first epoch, compiling; they were measured with {} at a time."
    jobs = " and ".join(str(number) for number in study.jobs) + (" run" if study.jobs == (1,) else " runs")
    caption = (
        f"{unit.capitalize()} until the validation accuracy first is 95, 98 and 99 %, on a logarithmic axis; means "
        "over seeds, where all of them get there. A target without a marker was not reached by all seeds in the epochs "
        f"given. Left out: {len(every) - len(names)} of {len(every)} configurations, which get to 95 % with no model; "
        "'not reached' and 'diverged' mark those that do with another model or seed alone."
        + (" Fast ones are above." if len(groups) == 1 else " Above are those that are fast on average of the models.")
    ) + (shared.format(jobs) if unit == "seconds" else "")
    return Chart(unit, f"{unit.capitalize()} until a validation accuracy is reached", caption, figure)


def _rank(name: str, own: dict[str, list[TrialOutcome]], *, unit: str) -> float:
    """Return the place of a configuration among those of its model, from 0, the fastest to the first target."""

    def slowness(runs: Sequence[TrialOutcome]) -> float:
        reached = [getattr(one, f"{unit}_until")(TARGETS[0]) for one in runs]
        return mean(float("inf") if value is None else value for value in reached) if reached else float("inf")

    return sum(slowness(runs) < slowness(own.get(name, [])) for runs in own.values())


def _panel(axes: Any, own: dict[str, list[TrialOutcome]], order: Sequence[str], *, unit: str) -> None:
    axes.set_xscale("log")
    for position, target in enumerate(TARGETS):
        look = style(position)
        points = []
        for height, name in enumerate(order):
            reached = [getattr(one, f"{unit}_until")(target) for one in own.get(name, [])]
            if reached and None not in reached:
                points.append((mean(reached), height))
        heights = [y + DODGE * (position - 1) for _, y in points]
        axes.plot([x for x, _ in points], heights, label=f"{target * 100:.0f} %", **look.points)
    for height, name in enumerate(order):
        if name in own and any(one.epochs_until(TARGETS[0]) is None for one in own[name]):
            diverged = any(one.state == TrialState.DIVERGED for one in own[name])
            axes.text(
                0.98, height, "diverged" if diverged else "not reached", transform=axes.get_yaxis_transform(),
                ha="right", va="center", fontsize=FINE, color=FAINT,
            )  # fmt: skip
    log_axis(axes.xaxis)
