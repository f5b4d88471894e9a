"""Which class is taken for which: the reference and an artifact side by side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.console import Column
from toolkit.errors import ArtifactError
from toolkit.parity.evidence import RowFile
from toolkit.report.markup import Markup, code, element, joined, paragraph, table
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject

ORDER, TITLE = 60, "Which class is taken for which"
# Of more classes than this no matrix can be read: the commonest confusions are listed instead.
MOST_CLASSES, MOST_LISTED = 20, 25

Counts = NDArray[np.int64]


def show(subject: Subject) -> Section:
    """Return both matrices, cells that differ marked; of many classes the commonest confusions."""
    rows, name = subject.rows, subject.chosen.path
    if name not in rows.artifacts:
        raise ArtifactError(f"the parity record has no outputs of {name}; 'toolkit verify --save' keeps them")
    classes = subject.manifest.data.classes
    reference = count(rows.reference, rows.reference, len(classes))
    artifact = count(rows.reference, rows.artifacts[name], len(classes))
    again = {command("record", "check", subject.folder): "rebuilds accuracy and flips by class"}
    if len(classes) > MOST_CLASSES:
        return Section(_listed(reference, artifact, classes, name), again)
    pair = [
        _matrix("Keras", reference, artifact, classes),
        _matrix(name, artifact, reference, classes),
    ]
    what = (
        "A row for each class, a column for each answer. Outlined: wrong answers. Bold: counts that differ between "
        f"Keras and {name}."
    )
    return Section(joined([element("div", *pair, class_="pair"), element("p", what, class_="faint")]), again)


def count(labels: RowFile, answers: RowFile, classes: int) -> Counts:
    """Return how many images of each class (rows) were put into each class (columns)."""
    counts = np.zeros(classes * classes, np.int64)
    for truth, answered in zip(labels.chunks(), answers.chunks(), strict=True):
        cells = truth["label"].astype(np.int64) * classes + answered["prediction"]
        counts += np.bincount(cells, minlength=classes * classes)
    return counts.reshape(classes, classes)


def _matrix(title: str, counts: Counts, other: Counts, classes: Sequence[str]) -> Markup:
    head = element("tr", element("th"), *(element("th", name, scope="col") for name in classes))
    body = []
    for row, name in enumerate(classes):
        cells = (_cell(counts, other, row, column) for column in range(len(classes)))
        body.append(element("tr", element("th", name, scope="row"), *cells))
    matrix = element("table", element("thead", head), element("tbody", *body), class_="matrix")
    return element("figure", element("h3", code(title)), element("div", matrix, class_="wide"))


def _cell(counts: Counts, other: Counts, row: int, column: int) -> Markup:
    here, there = int(counts[row, column]), int(other[row, column])
    looks = ["right"] if row == column else ["wrong"] if here else []
    looks += ["changed"] if here != there else []
    return element("td", f"{here:,}" if here or here != there else "", class_=" ".join(looks) or None)


def _listed(reference: Counts, artifact: Counts, classes: Sequence[str], name: str) -> Markup:
    """Return the commonest confusions of either, as a table."""
    either = np.maximum(reference, artifact)
    np.fill_diagonal(either, 0)
    order = np.argsort(-either, axis=None, kind="stable")[:MOST_LISTED]
    pairs = [(int(cell) // len(classes), int(cell) % len(classes)) for cell in order if either.flat[cell]]
    columns = (Column("class", False), Column("taken for", False), Column("by Keras"), Column(f"by {name}"))
    rows = [(classes[row], classes[column], reference[row, column], artifact[row, column]) for row, column in pairs]
    if not rows:
        return paragraph(f"Of {len(classes):,} classes, none is taken for another.")
    said = f"Of {len(classes):,} classes, the {len(rows)} commonest confusions."
    return joined([paragraph(said), table(columns, rows)])
