"""What is measured on the file of a network, and where that cannot be."""

from types import SimpleNamespace

import pytest

from tests.conftest import SHIPPED
from toolkit.bench.instructions import Instructions
from toolkit.bench.plan import Plan
from toolkit.errors import ArtifactError, UsageError
from toolkit.search import measures
from toolkit.search.budgets import Budgets, MeasuredCost
from toolkit.search.measures import MEASURES


def test_instructions_are_a_count_without_an_interval(monkeypatch, tmp_path):
    counted = Instructions("litert", 35_000, "qemu-x86_64 10.0.2", "Haswell", None, {})
    monkeypatch.setattr("toolkit.bench.instructions.count", lambda path: counted)
    assert MEASURES["instructions"](tmp_path) == MeasuredCost(35_000, 35_000, 35_000, "qemu-x86_64 10.0.2 on Haswell")


@pytest.mark.slow
def test_a_latency_has_an_interval_and_a_place(monkeypatch, tmp_path):
    monkeypatch.setattr(measures, "PLAN", Plan(seconds=0.02, processes=2))
    found = MEASURES["latency_s"](SHIPPED / "mlp-int8.tflite")
    assert 0 < found.low <= found.value <= found.high < 1
    assert found.where.startswith("the floor on one thread of ")
    (tmp_path / "cut.tflite").write_bytes((SHIPPED / "mlp-int8.tflite").read_bytes()[:2_000])
    with pytest.raises(ArtifactError, match=r"cut\.tflite"):
        MEASURES["latency_s"](tmp_path / "cut.tflite")


def test_ctrl_c_in_a_measurement_ends_the_search(monkeypatch, tmp_path):
    monkeypatch.setattr("toolkit.bench.schedule.bench", lambda *_: SimpleNamespace(interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        MEASURES["latency_s"](tmp_path / "network.tflite")


def test_what_cannot_be_measured_here_is_refused_only_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr("toolkit.bench.instructions.perf.refused", lambda: "the machine has no such event")
    monkeypatch.setattr("toolkit.bench.instructions.qemu.lacking", lambda cpu: "qemu-x86_64 is not installed")
    measures.require(Budgets(9_000.0), is_alone=False)
    with pytest.raises(UsageError, match=r"instructions cannot be counted: perf events are not counted here .*qemu"):
        measures.require(Budgets(max_instructions=1.0), is_alone=True)
    monkeypatch.setattr("toolkit.host.describe", lambda: SimpleNamespace(emulated=True))
    with pytest.raises(UsageError, match="this machine is emulated, its times are no latencies; leave --max-latency"):
        measures.require(Budgets(max_latency_s=1.0), is_alone=True)
