"""What to ship, from made-up measurements."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import host, manifest
from toolkit.bench.record import Record, Result


@pytest.fixture
def record_of(exported):
    """Build a record from medians in µs by artifact, and verdicts by artifact."""

    def build(medians, verdicts=None, spread=0.001):
        found = manifest.read(exported).with_verified(
            {path: {"verdict": verdict, "accuracy": 0.99} for path, verdict in (verdicts or {}).items()}
        )
        record = Record(Path("record"), replace(host.describe(), emulated=False), "now", 1.0, {})
        for name, median in medians.items():
            noise = np.random.default_rng(len(record.results)).normal(1, spread, 1000)
            samples = median * 1e-6 * noise
            record.results.append(
                Result(exported / name, found, "litert", 1, 1, "s.npz", samples, samples, 0.1, 0.1, 1)
            )
        return record

    return build


def test_the_fastest_is_recommended_with_its_reasons(record_of):
    record = record_of(
        {"cnn-float32.tflite": 60, "cnn-int8.tflite": 20},
        {"cnn-float32.tflite": "pass", "cnn-int8.tflite": "pass"},
    )
    (choice,) = record.recommended()
    assert choice["artifact"].endswith("cnn-int8.tflite")
    assert choice["why"].startswith("the fastest of 2 measured here: 20.0 µs per inference, 3.0 times as fast as")
    assert "verified (pass), accuracy 99.00 %" in choice["why"]


def test_an_artifact_that_failed_its_verification_is_never_recommended(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20}, {"cnn-int8.tflite": "fail"})
    assert record.recommended()[0]["artifact"].endswith("cnn-float32.tflite")


def test_of_those_that_tie_the_smallest_is_recommended(record_of):
    record = record_of({"cnn-float32.tflite": 20, "cnn-int8.tflite": 20.05}, spread=0.1)
    (choice,) = record.recommended()
    assert choice["artifact"].endswith("cnn-int8.tflite")
    assert "the smallest of the 2 fastest" in choice["why"]
    assert "not verified yet" in choice["why"]


def test_the_reference_is_measured_and_never_recommended(record_of):
    assert record_of({"cnn.keras": 1}).recommended() == []


def test_speed_ups_are_against_the_float32_of_the_same_format(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20, "cnn-int8.onnx": 10})
    speedups = [record.speedup(result) for result in record.results]
    assert speedups[0] is None
    assert speedups[1].value == pytest.approx(3, rel=0.01)
    assert speedups[2] is None
