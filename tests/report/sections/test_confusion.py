"""The confusion matrices."""

import numpy as np

from tests.report.sections.made import text
from toolkit.report.sections import confusion


def test_a_confusion_matrix_counts_what_is_taken_for_what(three):
    table = three.rows.artifacts[three.chosen.path]
    assert confusion.count(three.rows.reference, table, 3).tolist() == [[2, 0, 0], [0, 1, 1], [0, 0, 1]]
    shown = confusion.show(three)
    assert shown.body.count('class="matrix"') == 2
    assert '<td class="wrong changed">1</td>' in shown.body
    assert '<td class="right changed">2</td>' in shown.body
    assert "&lt;fish&gt;" in shown.body


def test_of_many_classes_the_commonest_confusions_are_listed(three, monkeypatch):
    monkeypatch.setattr(confusion, "MOST_CLASSES", 2)
    said = text(confusion.show(three))
    assert "Of 3 classes, the 2 commonest confusions." in said
    assert "cat dog 1 0" in said
    assert "dog &lt;fish&gt; 0 1" in said
    monkeypatch.setattr(confusion, "count", lambda *_: np.eye(3, dtype=np.int64))
    shown = confusion.show(three)
    assert text(shown) == "Of 3 classes, none is taken for another."
    assert "<table" not in shown.body
