"""The pictures of changed classes."""

import numpy as np
import pytest

from tests.report.sections.made import KERAS, LABELS, rows, text
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, ToolkitError
from toolkit.parity.evidence import CANDIDATE_ROW
from toolkit.parity.figures import Flip
from toolkit.report.sections import flips


def test_flips_are_shown_as_pictures_lost_ones_first(three):
    three.__dict__["test_set"] = Split(np.zeros((5, 200, 200, 1), np.uint8), np.array(LABELS))
    shown = flips.show(three)
    said = text(shown)
    assert "2 changes of class by 1 of 1 artifact: 1 lost (only Keras is right), 1 gained" in said
    lost, gained = "#3: dog. Keras: dog, artifact: &lt;fish&gt;", "#1: cat. Keras: dog, artifact: cat"
    assert said.index(lost) < said.index(gained)
    assert shown.body.count('src="data:image/png;base64,') == 2
    three.__dict__["test_set"] = Split(np.zeros((5, 9), np.float32), np.array(LABELS))
    with pytest.raises(ToolkitError, match="2 changes of class, of rows that are no images"):
        flips.show(three)


def test_where_nothing_flips_it_says_so(three):
    three.rows.artifacts[three.chosen.path] = rows(CANDIDATE_ROW, prediction=KERAS)
    assert "No artifact puts any of the test images into another class" in text(flips.show(three))
    three.rows.artifacts.clear()
    with pytest.raises(ArtifactError, match="has outputs of none of these files"):
        flips.show(three)


def test_a_flip_from_wrong_to_wrong_is_called_that():
    assert Flip(0, label=1, reference=2, candidate=3).kind == "both wrong"
