"""Pictures of the images that an artifact classifies differently from Keras."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from toolkit import units
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, DataError
from toolkit.parity.figures import Flip, compute
from toolkit.report.markup import Markup, code, element, joined, paragraph
from toolkit.report.png import data_url
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject

ORDER, TITLE = 50, "Changes of class"
MOST_TILES = 48
# Longer sides are made shorter by leaving out pixels, so that a page of photos stays small.
LONGEST_SIDE = 128
# Kinds of flips, in words, those first that cost accuracy.
KINDS = {
    "lost": "lost (only Keras is right)",
    "gained": "gained (only the artifact is right)",
    "both wrong": "both wrong",
}


def show(subject: Subject) -> Section:
    """Return each image once, with the artifacts that flip it; lost ones first."""
    rows, classes = subject.rows, subject.manifest.data.classes
    if not rows.artifacts:
        raise ArtifactError("the parity record has outputs of none of these files; 'toolkit verify --save' keeps them")
    flips: dict[Flip, list[str]] = {}
    for name, table in rows.artifacts.items():
        for flip in compute(rows.reference, table, classes=len(classes)).flips:
            flips.setdefault(flip, []).append(name)
    if not flips:
        said = f"No artifact puts any of the test {subject.rows_are} into another class than Keras does."
        return Section(paragraph(said), {command("record", "check", subject.folder): "counts anew"})
    again = {command("verify", subject.folder, "--flips", "flips.png"): "draws them anew"}
    ordered = sorted(flips, key=lambda flip: (list(KINDS).index(flip.kind), flip.index, flip.candidate))
    images = subject.test_set
    if not images.is_pixels:
        raise DataError(f"{units.count(len(flips), 'change')} of class, of rows that are no images and cannot be shown")
    tiles = [_tile(flip, flips[flip], images, classes) for flip in ordered[:MOST_TILES]]
    counts = ", ".join(f"{sum(flip.kind == one for flip in flips)} {words}" for one, words in KINDS.items())
    more = f" The first {MOST_TILES} are shown." if len(flips) > MOST_TILES else ""
    by = f"{len(set(chain.from_iterable(flips.values())))} of {units.count(len(rows.artifacts), 'artifact')}"
    said = f"{units.count(len(flips), 'change')} of class by {by}: {counts}.{more}"
    return Section(joined([paragraph(said), element("div", *tiles, class_="tiles")]), again)


def _tile(flip: Flip, names: Sequence[str], images: Split, classes: Sequence[str]) -> Markup:
    pixels = images.images[flip.index]
    step = -(-max(pixels.shape[:2]) // LONGEST_SIDE)
    label, reference, candidate = (classes[one] for one in (flip.label, flip.reference, flip.candidate))
    said = f"#{flip.index}: {label}. Keras: {reference}, artifact: {candidate}"
    return element(
        "figure",
        element("img", src=data_url(np.ascontiguousarray(pixels[::step, ::step])), alt=said),
        element("figcaption", said, element("br"), flip.kind, ": ", code(", ".join(names))),
    )
