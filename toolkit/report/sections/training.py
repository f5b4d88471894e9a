"""How the model learned: loss and accuracy of each epoch, and whose weights were kept."""

import base64
from collections.abc import Callable, Sequence
from itertools import chain

from toolkit import models, registry, units
from toolkit.entries import Metrics
from toolkit.errors import ToolkitError
from toolkit.files import documents, read_bytes
from toolkit.manifest import Manifest
from toolkit.report import svg
from toolkit.report.history import EpochFigures
from toolkit.report.markup import Markup, element, joined, paragraph
from toolkit.report.sections.base import Section, command, data_words
from toolkit.report.subject import Subject
from toolkit.report.svg import Axis

ORDER, TITLE = 30, "Training"
WIDTH, HEIGHT = 480.0, 270.0
MOST_POINTS = 500
CHARTS = ("loss.png", "accuracy.png")
_MOST_BYTES = 1 << 21
_PNG = b"\x89PNG\r\n\x1a\n"


def show(subject: Subject) -> Section:
    """Return the curves of the run if it is beside the export, else the charts that the export brought along."""
    metrics = subject.manifest.source.metrics
    about = [paragraph(f"{metrics}.")] if metrics else []
    try:
        curves = _curves(subject.history, metrics)
    except ToolkitError as error:
        curves = _charts(subject)
        if not curves:
            raise
        about.append(element("p", f"The charts of the export; {error}.", class_="faint"))
    return Section(joined([*about, element("div", *curves, class_="pair")]), _again(subject.manifest))


def _again(manifest: Manifest) -> dict[str, str]:
    """Return the command that trains the model again; none where no recipe is known."""
    if manifest.recipe is None:
        return {}
    recipe = documents.to_tree(manifest.recipe)
    if models.name_of(manifest.recipe.model) not in registry.names("toolkit.models"):
        recipe["model"] = "FILE"  # of the user's own
    known = [
        (name, value) for name, value in recipe.items() if isinstance(value, str | int | float) and value is not False
    ]
    options = [[f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])] for name, value in known]
    words = ("train", "--data", *data_words(manifest), *chain.from_iterable(options))
    return {command(*words): "trains it again; the curves are those of history.csv in its folder"}


def _curves(history: Sequence[EpochFigures], metrics: Metrics | None) -> list[Markup]:
    best = metrics.best_epoch if metrics and 0 < metrics.best_epoch <= len(history) else None
    return [
        _chart("loss", history, best, lambda one: (one.loss, one.val_loss)),
        _chart("accuracy (%)", history, best, lambda one: (100 * one.accuracy, 100 * one.val_accuracy)),
    ]


def _chart(
    title: str,
    history: Sequence[EpochFigures],
    best: int | None,
    values_of: Callable[[EpochFigures], tuple[float, float]],
) -> Markup:
    lines = {"training": [values_of(one)[0] for one in history]}
    if all(one.validated for one in history):
        lines["validation"] = [values_of(one)[1] for one in history]
    ends = (1.0, float(len(history))) if len(history) > 1 else (0.5, 1.5)
    across = Axis(*ends, 52.0, WIDTH - 12)
    up = Axis(*svg.spread(value for values in lines.values() for value in values), HEIGHT - 42, 44.0)
    epochs = [value for value in across.ticks if value == int(value)]
    parts = [
        svg.up(up, across.start, svg.numbers(up), title, right=across.end),
        svg.across(across, up.start, [f"{value:g}" if value in epochs else "" for value in across.ticks], "epoch"),
    ]
    for kind, (name, values) in enumerate(lines.items()):
        every = max(1, len(values) // MOST_POINTS)
        points = [(across.at(number), up.at(value)) for number, value in enumerate(values, 1)][::every]
        parts.append(svg.path(points, f"line{kind}"))
        step = max(1, len(points) // 8) if kind else len(points)
        parts += [svg.marker(kind, x, y, f"area{kind}", radius=3.2) for x, y in points[::step]]
        legend = across.start + 130 + 80 * kind  # where a phone's screen reaches
        parts += [svg.marker(kind, legend, 17, f"area{kind}"), svg.text(legend + 8, 21, name, look="label")]
    if best is not None:
        at = across.at(best)
        parts.append(svg.line(at, up.start, at, up.end, "even"))
        side, anchor = (5, "start") if at < (across.start + across.end) / 2 else (-5, "end")
        is_low = up.at(lines["training"][best - 1]) > (up.start + up.end) / 2
        height = up.end + 12 if is_low else up.start - 6  # where the curve is not
        parts.append(svg.text(at + side, height, f"kept: epoch {best}", anchor=anchor, look="tick"))
    last = ", ".join(f"{name} ends at {values[-1]:.4g}" for name, values in lines.items())
    drawn = svg.picture(WIDTH, HEIGHT, *parts, says=f"{title} of {units.count(len(history), 'epoch')}: {last}")
    return element("figure", drawn)


def _charts(subject: Subject) -> list[Markup]:
    """Return the charts beside the manifest as pictures within the page."""
    figures = []
    for name in CHARTS:
        path = subject.folder / name
        if path.is_file() and not path.is_symlink():
            content = read_bytes(path, most=_MOST_BYTES)
            if content.startswith(_PNG):
                source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
                picture = element("img", src=source, alt=f"{path.stem} against epochs")
                figures.append(element("figure", picture, class_="chart"))
    return figures
