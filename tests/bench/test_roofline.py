"""Roofs with round numbers, and their cache."""

import json
from dataclasses import replace

import pytest

from toolkit import host
from toolkit.bench import roofline
from toolkit.bench.explanation import Explanation, WhyEntry, read
from toolkit.bench.profile import Profile
from toolkit.bench.roofline import COMPUTE, MEMORY, Roofline, Roofs, kept
from toolkit.files import documents
from toolkit.runtimes.base.graph import INT8, Operator

ROOF = Roofline(100e9, ((1 << 18, 40e9), (1 << 20, 20e9), (1 << 22, 10e9)))
HERE = replace(host.describe(), cpu="made up", emulated=False)


@pytest.mark.parametrize(
    ("macs", "weight_bytes", "attainable"),
    [
        (1 << 22, 1 << 20, (80e9, MEMORY)),  # 4 MAC a byte × 20 GB/s
        (1 << 23, 1 << 20, (100e9, COMPUTE)),
        (1 << 20, 1 << 22, (2.5e9, MEMORY)),  # of larger weights, the bytes a second of the larger probe
        (1 << 10, 1 << 30, (10e9 / (1 << 20), MEMORY)),
        (1_000, 0, (100e9, COMPUTE)),
    ],
)
def test_the_lower_of_two_roofs_is_what_the_machine_allows(macs, weight_bytes, attainable):
    assert ROOF.attainable(macs, weight_bytes) == attainable


def test_the_higher_of_two_measurements_counts():
    other = Roofline(90e9, ((1 << 18, 41e9), (1 << 20, 19e9), (1 << 22, 10e9)))
    both = roofline.higher({INT8: ROOF}, {INT8: other})
    assert both == {INT8: Roofline(100e9, ((1 << 18, 41e9), (1 << 20, 20e9), (1 << 22, 10e9)))}


def test_roofs_are_kept_by_machine_runtime_and_threads(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept(HERE, {"runtime": "1"}, "litert", threads=1).write({INT8: ROOF})
    assert kept(HERE, {"runtime": "1"}, "litert", threads=1).read(Roofs) == {INT8: ROOF}
    assert kept(HERE, {"runtime": "2"}, "litert", threads=1).read(Roofs) is None
    assert kept(HERE, {"runtime": "1"}, "litert", threads=2).read(Roofs) is None
    assert kept(replace(HERE, cpu="another"), {"runtime": "1"}, "litert", threads=1).read(Roofs) is None


def test_an_explanation_derives_rate_and_share_and_survives_its_record():
    operators = (Operator("QUANTIZE", "XNNPACK"), Operator("CONV_2D", "XNNPACK", 1 << 22, INT8, 1 << 20))
    explanation = Explanation(Profile(operators, (1e-6, 3e-6, 2.5e-6), None), ROOF, "because")
    told = explanation.to_json(1e-4)
    assert [operator["seconds"] for operator in told["operators"]] == [pytest.approx(2e-6), 0.0]
    assert told["macs_per_s"] == pytest.approx((1 << 22) * 1e4)
    assert told["share_of_attainable"] == pytest.approx((1 << 22) * 1e4 / 80e9)
    assert (told["bound"], told["arithmetic"], told["call_s"]) == (MEMORY, INT8, 1e-6)
    assert read(documents.convert(json.loads(json.dumps(told)), WhyEntry, "here", what="a record")) == explanation


def test_unknown_multiply_accumulates_leave_no_rate():
    operators = (Operator("LSTM", "built-in", None), Operator("CONV_2D", "XNNPACK", 1000, INT8, 10))
    told = Explanation(Profile(operators, None, "emulated: no times"), ROOF, None).to_json(None)
    assert (told["macs"], told["macs_per_s"], told["share_of_attainable"]) == (None, None, None)
    assert told["untimed"] == "emulated: no times"
