"""What the tests of sections share: a subject, rows that are known, the words of a section."""

import re

import numpy as np

from toolkit import manifest
from toolkit.parity.evidence import RowFile
from toolkit.report.subject import ParityRows, Subject

LABELS, KERAS, ARTIFACT = [0, 0, 1, 1, 2], [0, 1, 1, 1, 2], [0, 0, 1, 2, 2]


def subject(folder, record=None, **more):
    return Subject(manifest.read(folder), (), record, **more)


def text(section):
    """Return the words of a section, without its elements."""
    return " ".join(re.sub(r"<[^>]+>", " ", section.body).split())


def rows(dtype, **columns):
    """Return a table of rows."""
    made = np.zeros(len(next(iter(columns.values()))), dtype)
    for name, values in columns.items():
        made[name] = values
    table = RowFile(made.dtype)
    table.append(made)
    return table


def with_rows(found, reference, **artifacts):
    """Give a subject rows that are known."""
    found.__dict__["rows"] = ParityRows(reference, artifacts, "0")
    return found
