"""The front of accuracy and latency."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.report.sections.made import subject, text
from toolkit.errors import ArtifactError
from toolkit.report.sections import front


def test_the_front_names_who_is_beaten_by_none(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    float32 = next(one for one in record.results if "float32" in one.path.name)
    record.results[0] = replace(record.results[0], accuracy=float32.accuracy - 0.01)
    said = text(front.show(subject(shipped, record)))
    assert re.search(r"A mlp-int8\.tflite [\d.]+ % 2\.00 µs 108 kB ✓ pass yes", said)
    assert re.search(r"B mlp-float32\.tflite [\d.]+ % 5\.\d+ µs 409 kB ✓ pass yes", said)
    record.results = record.results[:1]
    with pytest.raises(ArtifactError, match="it takes accuracy and latency of two artifacts"):
        front.show(subject(shipped, record))


def test_a_letter_stands_on_no_marker_and_on_no_other_letter(shipped, benchmark, tmp_path):
    """Two files are much the same, and lie on a larger one."""
    record = benchmark(tmp_path / "one", {"mlp-int8.tflite": 2, "mlp-dynamic.tflite": 2.04, "mlp-float32.onnx": 2.02})
    drawn = ElementTree.fromstring(re.search(r"<svg.*?</svg>", front.show(subject(shipped, record)).body, re.DOTALL)[0])
    letters = [one for one in drawn.iter() if one.tag.endswith("text") and one.text in ("A", "B", "C")]
    places = [np.array([float(one.get("x")), float(one.get("y")) - 4]) for one in letters]
    circles = [one for one in drawn.iter() if one.tag.endswith("circle") and float(one.get("cy")) > 20]
    assert len(places) == 3
    assert len(circles) == 2
    for number, place in enumerate(places):
        assert all(np.hypot(*(place - other)) >= front.LETTER for other in places[:number])
        for one in circles:
            assert np.hypot(*(place - [float(one.get("cx")), float(one.get("cy"))])) >= float(one.get("r")) + 6
