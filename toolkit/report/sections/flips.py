"""Pictures of the images that an artifact classifies differently from Keras."""

import shlex
from collections.abc import Sequence
from itertools import chain

import numpy as np

from toolkit import units
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, DataError
from toolkit.parity.figures import Flip, compute
from toolkit.report.markup import Markup, code, element, joined, paragraph
from toolkit.report.png import data_url
from toolkit.report.sections.base import Section
from toolkit.report.subject import Subject

ORDER, TITLE = 50, "Images that change their class"
MOST_TILES = 48
# Longer sides are made shorter by leaving out pixels, so that a page of photos stays small.
LONGEST_SIDE = 128


def show(subject: Subject) -> Section:
    """Return each image once, with the artifacts that flip it; lost ones first."""
    rows, classes = subject.rows, subject.manifest.data.classes
    if not rows.artifacts:
        raise ArtifactError("the parity record has outputs of none of these files; 'toolkit verify --save' keeps them")
    flips: dict[Flip, list[str]] = {}
    for name, table in rows.artifacts.items():
        for flip in compute(rows.reference, table, classes=len(classes)).flips:
            flips.setdefault(flip, []).append(name)
    again = {shlex.join(["toolkit", "verify", str(subject.folder), "--flips", "flips.png"]): "draws them anew"}
    if not flips:
        return Section(
            paragraph(f"No artifact puts any of the test {subject.rows_are} into another class than Keras does."), again
        )
    ordered = sorted(flips, key=lambda flip: (_KINDS.index(kind(flip)), flip.index, flip.candidate))
    images = subject.test_set
    if not images.is_pixels:
        raise DataError(f"{units.count(len(flips), 'change')} of class, of rows that are no images and cannot be shown")
    tiles = [_tile(flip, flips[flip], images, classes) for flip in ordered[:MOST_TILES]]
    counts = ", ".join(f"{sum(kind(flip) == one for flip in flips)} {one}" for one in _KINDS)
    more = f" The first {MOST_TILES} are shown." if len(flips) > MOST_TILES else ""
    artifacts = len(set(chain.from_iterable(flips.values())))
    said = f"{len(flips)} changes of class by {artifacts} of {len(rows.artifacts)} artifacts: {counts}.{more}"
    return Section(joined([paragraph(said), element("div", *tiles, class_="tiles")]), again)


_LOST, _GAINED, _OTHER = "lost (only Keras is right)", "gained (only the artifact is right)", "both wrong"
_KINDS = (_LOST, _GAINED, _OTHER)


def kind(flip: Flip) -> str:
    """Return what a flip means in words."""
    if flip.reference == flip.label:
        return _LOST
    return _GAINED if flip.candidate == flip.label else _OTHER


def _tile(flip: Flip, names: Sequence[str], images: Split, classes: Sequence[str]) -> Markup:
    pixels = images.images[flip.index]
    step = -(-max(pixels.shape[:2]) // LONGEST_SIDE)
    label, reference, candidate = (classes[one] for one in (flip.label, flip.reference, flip.candidate))
    said = f"#{flip.index}: a {label}. Keras: {reference}, artifact: {candidate}"
    return element(
        "figure",
        element("img", src=data_url(np.ascontiguousarray(pixels[::step, ::step])), alt=said),
        element("figcaption", said, element("br"), kind(flip).partition(" (")[0], ": ", code(", ".join(names))),
    )
