"""A subject whose rows are known."""

from dataclasses import replace

import pytest

from tests.report.sections.made import ARTIFACT, KERAS, LABELS, rows, subject, with_rows
from toolkit import manifest
from toolkit.parity.evidence import CANDIDATE_ROW, REFERENCE_ROW


@pytest.fixture
def three(shipped):
    """A subject of three classes and five images, of which the artifact that is looked at changes two."""
    found = manifest.read(shipped)
    replace(found, data=replace(found.data, classes=("cat", "dog", "<fish>"))).write()
    made = subject(shipped)
    reference = rows(REFERENCE_ROW, label=LABELS, prediction=KERAS, confidence=[0.9, 0.5, 0.9, 0.9, 0.7])
    other = rows(CANDIDATE_ROW, prediction=ARTIFACT, confidence=[0.9, 0.5, 0.9, 0.9, 0.7])
    return with_rows(made, reference, **{made.chosen.path: other})
