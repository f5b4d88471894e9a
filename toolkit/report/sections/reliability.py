"""Whether a probability can be taken at its word: accuracy against confidence."""

from dataclasses import dataclass

import numpy as np

from toolkit import units
from toolkit.errors import ArtifactError
from toolkit.interval import Interval
from toolkit.parity.evidence import RowFile
from toolkit.parity.figures import BINS, Reliability
from toolkit.report import svg
from toolkit.report.markup import Markup, code, element, joined
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject
from toolkit.report.svg import Axis
from toolkit.study.statistics import share

ORDER, TITLE = 70, "Can its probabilities be believed?"
WIDTH, HEIGHT = 360.0, 320.0


@dataclass(frozen=True)
class Bin:
    """The images whose confidence lies in one bin. right: the share of them that is right, with Wilson's interval."""

    images: int
    confidence: float
    right: Interval


def show(subject: Subject) -> Section:
    """Return a reliability diagram of the reference and one of an artifact."""
    rows, name = subject.rows, subject.chosen.path
    if name not in rows.artifacts:
        raise ArtifactError(f"the parity record has no outputs of {name}; 'toolkit verify --save' keeps them")
    pair = [
        _diagram("Keras", calibration(rows.reference, rows.reference), 0),
        _diagram(name, calibration(rows.reference, rows.artifacts[name]), 1),
    ]
    what = (
        f"The {subject.rows_are} in {BINS} bins by the probability of the answer. On the dotted line, answers of 90 % "
        "are right nine times in ten; below it, the model is too sure of itself. Lines: Wilson's 95 % intervals. "
        f"Numbers: the {subject.rows_are} of a bin, if fewer than 100. ECE, the expected calibration error: the "
        f"distance from the dotted line, averaged over the {subject.rows_are}."
    )
    again = {command("record", "check", subject.folder): "rebuilds the calibration errors"}
    return Section(joined([element("div", *pair, class_="pair"), element("p", what, class_="faint")]), again)


def calibration(labels: RowFile, answers: RowFile) -> Reliability:
    """Return how many answers of each confidence are right."""
    counted = Reliability()
    for truth, answered in zip(labels.chunks(), answers.chunks(), strict=True):
        counted.add(answered["confidence"], answered["prediction"] == truth["label"])
    return counted


def bins(counted: Reliability) -> list[Bin]:
    """Return the bins that have images, by rising confidence."""
    columns = zip(counted.images.astype(int), counted.confidence, counted.right.astype(int), strict=True)
    return [Bin(n, float(sure / n), share(int(right), int(n))) for n, sure, right in columns if n]


def _diagram(title: str, counted: Reliability, kind: int) -> Markup:
    filled = bins(counted)
    lowest = min((*(one.confidence for one in filled), *(one.right.low for one in filled)))
    floor = max(0.0, np.floor(lowest * 5) / 5)
    axis, height = Axis(floor, 1.0, 48.0, WIDTH - 24), Axis(floor, 1.0, HEIGHT - 42, 28.0)
    words = [f"{100 * value:.0f} %" for value in axis.ticks]
    error = f"ECE {units.percent(counted.error())}"
    parts = [
        svg.up(height, axis.start, words, "right", right=axis.end),
        svg.across(axis, height.start, words, "probability of the answer"),
        svg.line(axis.at(floor), height.at(floor), axis.at(1), height.at(1), "even"),
        svg.path([(axis.at(one.confidence), height.at(one.right.value)) for one in filled], f"line{kind}"),
    ]
    for one in filled:
        x = axis.at(one.confidence)
        parts.append(svg.line(x, height.at(one.right.low), x, height.at(one.right.high), "ink"))
        parts.append(svg.marker(kind, x, height.at(one.right.value), f"area{kind}"))
        if one.images < 100:
            parts.append(svg.text(x, height.at(one.right.high) - 8, one.images, anchor="middle", look="tick"))
    drawn = svg.picture(WIDTH, HEIGHT, *parts, says=f"reliability of {title}: {error}")
    return element("figure", element("h3", code(title), f", {error}"), drawn)
