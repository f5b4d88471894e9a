"""Real workers that take tiny artifacts apart."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench import made_up
from tests.bench.test_measure import Clock, FakeSession
from toolkit import runtimes
from toolkit.bench import dissect, explain
from toolkit.bench.candidates import select
from toolkit.bench.plan import Plan
from toolkit.bench.profile import Profile
from toolkit.bench.record import read as read_record
from toolkit.bench.roofline import Roofline
from toolkit.bench.schedule import bench
from toolkit.bench.tasks import PROBE
from toolkit.errors import ArtifactError
from toolkit.files import documents
from toolkit.runtimes.base.graph import Node, Operator
from toolkit.worker.process import Process

QUICK = Plan(seconds=0.01, processes=1)


@pytest.fixture
def quick_probes(monkeypatch):
    monkeypatch.setattr(dissect, "PROBE_TURNS", 1)
    monkeypatch.setattr(dissect, "PROBE_BLOCK_S", 1e-4)
    monkeypatch.setattr(dissect, "MEMORY_BYTES", (1 << 12,))


def profiled(path, module=None, **asked):
    """Take an artifact apart in this process; 0.1 ms pass with each look at the clock."""
    module = module or runtimes.get(runtimes.for_file(path))
    asked = {"threads": 1, "batch": 1, "timed": True, "clock": Clock(tick=100_000)} | asked
    return documents.convert(dissect.profile(module, path, None, **asked), Profile, path, what="a profile")


@pytest.mark.parametrize("name", ["cnn-float32.onnx", "cnn-int8.tflite"])
def test_explain_times_each_operator(exported_once, name):
    found = profiled(exported_once / name)
    assert found.prefixes_s == (1e-4,) * (len(found.operators) + 1)
    assert found.untimed is None


class Prefix(FakeSession):
    """Takes the time that it is given."""

    def __init__(self, clock, taken_ns):
        super().__init__(clock)
        self.taken_ns = taken_ns

    def invoke(self):
        self.clock.now += self.taken_ns


def test_an_operator_takes_what_it_adds_to_the_prefix_before_it(tmp_path):
    (tmp_path / "fake").touch()
    clock = Clock()
    operators = [Operator(name, "fast") for name in ("first", "second", "third")]
    module = SimpleNamespace(
        nodes=lambda path, **_: [Node(operator, operator.name, None, 0, ()) for operator in operators],
        prefixes=lambda path, threads: [Prefix(clock, taken_ns) for taken_ns in (1_000, 5_000, 4_000, 12_000)],
    )
    found = profiled(tmp_path / "fake", module, clock=clock)
    assert (found.call_s, found.total_s) == (1e-6, 12e-6)
    assert [one.seconds for one in found.timed] == pytest.approx([4e-6, 0.0, 8e-6])


def test_what_is_too_much_is_not_timed_and_says_so(exported_once, monkeypatch):
    path = exported_once / "cnn-int8.tflite"
    assert profiled(path, timed=False).untimed == "emulated: no times"
    monkeypatch.setattr(dissect, "LONGEST_S", 0.0)
    assert profiled(path).untimed == "its prefixes would take longer than 0 s"
    monkeypatch.setattr(dissect, "MOST_BYTES", 1000)
    found = profiled(path)
    assert found.untimed == "its prefixes would take more than 1,000 bytes"
    assert found.prefixes_s is None
    assert found.macs > 0


@pytest.mark.parametrize("name", ["litert", "onnxruntime"])
def test_a_runtime_is_probed_in_both_arithmetics(name, quick_probes):
    found = dissect.probe(runtimes.get(name), threads=1)
    assert set(found) == {"float32", "int8"}
    assert [size for size, _ in found["int8"]["bytes_per_s"]] == [1 << 12]
    assert all(roof["macs_per_s"] > 0 and roof["bytes_per_s"][0][1] > 0 for roof in found.values())


def test_the_reference_has_nothing_to_probe():
    assert dissect.probe(runtimes.get("keras"), threads=1) == {}


@pytest.mark.slow
def test_everything_is_explained_and_read_back(exported, tmp_path, monkeypatch):
    roofs = {"int8": Roofline(1e15, ((1000, 1e15),))}
    monkeypatch.setattr(explain, "_probed", lambda result: roofs)
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    explain.explain(record, everything=True)
    (entry,) = record.to_json()["results"]
    assert entry["why"]["macs"] == sum(operator["macs"] for operator in entry["why"]["operators"])
    assert 0 < entry["why"]["share_of_attainable"] < 1
    assert made_up.passed_on(read_record(tmp_path / "record")) == made_up.passed_on(record)


def test_an_artifact_that_is_faster_costs_no_worker(exported, tmp_path, monkeypatch):
    record = bench(select([exported / "cnn-float32.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    monkeypatch.setattr(Process, "__init__", lambda *_, **__: pytest.fail("a worker was started"))
    explain.explain(record, everything=False)
    assert record.to_json()["results"][0]["why"] is None


@pytest.mark.slow
def test_under_emulation_there_are_operators_and_no_times(exported, tmp_path):
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    record.host = replace(record.host, emulated=True)
    explain.explain(record, everything=True)
    (entry,) = record.to_json()["results"]
    assert entry["why"]["macs"] > 0
    assert {operator["seconds"] for operator in entry["why"]["operators"]} == {None}
    assert [entry["why"][name] for name in ("macs_per_s", "call_s", "attainable_macs_per_s")] == [None] * 3


@pytest.mark.slow
def test_an_artifact_that_cannot_be_taken_apart_says_so(exported, tmp_path):
    record = bench(select([exported / "cnn-float32.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    record.results = [replace(record.results[0], path=tmp_path / "gone.tflite")]
    explain.explain(record, everything=True)
    assert "it could not be taken apart: " in record.to_json()["results"][0]["why"]["untimed"]


@pytest.mark.slow
def test_int16_activations_run_in_slow_kernels_and_it_says_so(tmp_path, tiny):
    """XNNPACK has none for them; the model is wide enough for that to hurt. Made-up latencies say that it did."""
    import tensorflow as tf

    keras = tf.keras
    layers = [keras.layers.Conv2D(64, 3, activation="relu"), keras.layers.Conv2D(64, 3), keras.layers.Flatten()]
    model = keras.Sequential([keras.layers.Input((8, 8, 1)), *layers])
    images = tiny.train.images[:20].astype(np.float32) / 255
    for name in ("float32", "int16x8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if name == "int16x8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([images[row : row + 1]] for row in range(20))
            ops = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [ops]
        (tmp_path / f"{name}.tflite").write_bytes(converter.convert())
    record = replace(made_up.record(), folder=tmp_path)
    for name, median_s in (("float32", 1e-4), ("int16x8", 1e-2)):
        facts = {"samples": name, "format": "tflite", "quantization": name}
        record.results.append(made_up.result(median_s, path=tmp_path / f"{name}.tflite", **facts))
    explain.explain(record, everything=False)
    because = {entry["quantization"]: entry["why"] for entry in record.to_json()["results"]}
    assert because["float32"] is None
    assert because["int16x8"]["not_faster_because"].startswith("XNNPACK has no kernel for CONV_2D of these types")


@pytest.mark.slow
def test_an_interruption_keeps_what_is_explained(exported, tmp_path, monkeypatch):
    record = bench(select([exported / "cnn-float32.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    record.host = replace(record.host, emulated=True)
    record.results.append(replace(record.results[0], samples="second.npz"))
    answers = iter([Profile((), None, "made up")])

    def profile(*_):
        for answer in answers:
            return answer
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "_profile", profile)
    explain.explain(record, everything=True)
    assert record.interrupted
    assert list(record.why) == [record.results[0].samples]


@pytest.mark.slow
def test_without_the_memory_for_the_probes_there_is_no_roof_and_none_is_kept(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    record = bench(select([exported / "cnn-float32.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    record.host = replace(record.host, emulated=False)
    real = explain._asked

    def asked(question, result):
        if question["do"] == PROBE:
            raise ArtifactError("not enough memory")
        return real(question, result)

    monkeypatch.setattr(explain, "_asked", asked)
    explain.explain(record, everything=True)
    (explanation,) = record.why.values()
    assert explanation.roofline is None
    assert list((tmp_path / "cache").rglob("*.json")) == []
