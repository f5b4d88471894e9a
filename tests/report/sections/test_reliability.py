"""The reliability diagrams."""

import pytest

from tests.report.sections.made import subject, text
from toolkit.parity.figures import compute
from toolkit.report.sections import reliability


def test_the_calibration_error_is_that_of_the_record(shipped):
    found = subject(shipped)
    for name, table in found.rows.artifacts.items():
        figures = compute(found.rows.reference, table, classes=10)
        assert reliability.calibration(found.rows.reference, table).error() == figures.calibration_error, name


def test_the_bins_of_reliability_hold_all_images(three):
    found = reliability.bins(reliability.calibration(three.rows.reference, three.rows.reference))
    assert [(one.images, one.right.value) for one in found] == [(1, 0.0), (1, 1.0), (3, 1.0)]
    assert [one.confidence for one in found] == pytest.approx([0.5, 0.7, 0.9])
    said = text(reliability.show(three))
    assert "ECE 22.00 %" in said
    assert "ECE 30.00 %" in said
    assert said.count("reliability of") == 2
