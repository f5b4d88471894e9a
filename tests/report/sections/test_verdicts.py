"""The forest plot."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.conftest import verification
from tests.report.sections.made import subject, text
from toolkit import manifest
from toolkit.entries import EvaluationSet
from toolkit.errors import ArtifactError
from toolkit.overlap import Overlap
from toolkit.parity.statistics import loss_bounds
from toolkit.report.sections import verdicts


def test_the_forest_plot_has_the_bounds_that_decide(shipped):
    found = manifest.read(shipped)
    lost, gained, n = 12, 5, 10_000
    known = verification("pass", 0.98)
    first = replace(found.artifacts[0], verified=replace(known, lost=lost, gained=gained, n=n))
    replace(found, artifacts=(first,)).write()
    shown = verdicts.show(subject(shipped))
    lower, upper = (100 * bound for bound in loss_bounds(lost, gained, n))
    assert f" 0.070 ({lower:.3f} – {upper:.3f}) 12 / 5 98.00 % 98.00 %" in text(shown).replace("−", "-")
    assert "✓ pass" in text(shown)
    strip = ElementTree.fromstring(re.search(r"<svg.*?</svg>", shown.body)[0])
    axis = verdicts._axis([first.verified])
    line = next(one for one in strip if one.attrib.get("class") == "ink")
    assert float(line.attrib["x1"]) == pytest.approx(axis.at(lower), abs=0.01)
    assert float(line.attrib["x2"]) == pytest.approx(axis.at(upper), abs=0.01)
    limit = next(one for one in strip if one.attrib.get("class") == "limit")
    assert float(limit.attrib["x1"]) == pytest.approx(axis.at(0.5), abs=0.01)


def test_a_check_that_failed_says_why_and_a_verification_without_figures_has_no_line(shipped):
    found = manifest.read(shipped)
    broken = replace(verification("fail"), lost=None, gained=None, others={"problem": "softmax <missing>?"})
    replace(found, artifacts=(replace(found.artifacts[0], verified=broken), *found.artifacts[1:])).write()
    shown = verdicts.show(subject(shipped))
    assert "✗ fail softmax &lt;missing&gt;?" in text(shown)
    assert shown.body.count("<svg") == 6  # five artifacts and the axis
    replace(found, artifacts=(replace(found.artifacts[0], verified=broken),)).write()
    assert "<svg" not in verdicts.show(subject(shipped)).body


def test_figures_on_images_that_were_learned_from_are_marked(shipped):
    found = manifest.read(shipped)
    overlap = (Overlap("test", "training", 7, 90, (1, 2)),)
    leaky = replace(verification("pass", 0.98), dataset=EvaluationSet("tiny", overlap))
    replace(found, artifacts=(replace(found.artifacts[0], verified=leaky),)).write()
    said = text(verdicts.show(subject(shipped)))
    assert "98.00 %*" in said
    assert "* not an accuracy: 7 of the 90 test images are training images too (rows 1, 2, …)." in said


def test_what_was_not_verified_is_no_forest(shipped):
    found = manifest.read(shipped)
    replace(found, artifacts=tuple(replace(one, verified=None) for one in found.artifacts)).write()
    with pytest.raises(ArtifactError, match=r"no artifact was verified; 'toolkit verify .* --save'"):
        verdicts.show(subject(shipped))
