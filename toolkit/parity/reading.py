"""Read a parity record and its rows, checked: whoever gives one away may have written anything into it."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from toolkit.entries import EvaluationSet, ListedFile
from toolkit.errors import ArtifactError
from toolkit.files import FileName, documents
from toolkit.files.arrays import Expected, opened_npz
from toolkit.golden import MAX_CLASSES
from toolkit.parity.evidence import CANDIDATE_ROW, REFERENCE_ROW, RowFile
from toolkit.verdict import Verdict

SCHEMA = 1
REFERENCE, ARTIFACT = "reference", "artifact/"
_WHAT = "a parity record"
# Far more than any output, and still a whole number of 64 bits when figures count by it.
GREATEST = 1e17


class ParityResultEntry(TypedDict):
    """What describes a result; its figures are rebuilt, and compared whatever they are."""

    artifact: FileName
    runtime: str
    format: str
    quantization: str
    sha256: str
    margin_pp: float
    failed_check: str | None
    problem: str | None
    reference_rounds: NotRequired[bool]


class ParityRecordEntry(TypedDict):
    """What a record must have."""

    classes: int
    dataset: EvaluationSet
    reference: ListedFile
    results: list[ParityResultEntry]
    rows: ListedFile
    sha256: str
    verdict: Verdict


def read(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the text of a record and its document, whole and checked; ArtifactError if it is none."""
    missing = "no such file; 'toolkit verify --save' writes parity.json"
    text = documents.content(path, missing=missing)
    document = documents.parse(text, path, what=_WHAT)
    if document.get("schema") != SCHEMA:
        raise ArtifactError(f"{path}: not a parity record that this toolkit reads (its schema is not {SCHEMA})")
    record = documents.convert(document, ParityRecordEntry, path, what=_WHAT)
    if not record["results"]:
        raise ArtifactError(f"{path}: not a parity record, it has no results")
    if not 2 <= record["classes"] <= MAX_CLASSES:
        raise ArtifactError(f"{path}: speaks of {record['classes']} classes; allowed: 2 to {MAX_CLASSES}")
    return text, document


def read_rows(path: Path, classes: int) -> dict[str, RowFile]:
    """Return what was kept of every row, by name; ArtifactError if that cannot be."""
    tables = {}
    with opened_npz(path, what="the rows of a parity record") as arrays:
        rows = arrays.header(REFERENCE, Expected((REFERENCE_ROW,), (None,))).shape[0]
        if not rows:
            raise ValueError("no rows")
        candidate = Expected((CANDIDATE_ROW,), (rows,))
        for name in arrays.names:
            arrays.header(name, None if name == REFERENCE else candidate)
        for name in arrays.names:
            values = arrays.read(name)
            for column in values.dtype.names or ():
                if column in ("label", "prediction") and values[column].max() >= classes:
                    raise ValueError(f"'{name}' has a {column} of {values[column].max()}, there are {classes} classes")
                if not (np.abs(values[column]) <= GREATEST).all():
                    raise ValueError(f"'{name}' has a {column} that is no number")
            tables[name] = RowFile(values.dtype)
            tables[name].append(values)
    return tables
