"""Two records: what is said of them on one machine and on two."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import host
from toolkit.bench.compare import compare
from toolkit.bench.record import Record
from toolkit.bench.result import Opened, Result
from toolkit.bench.statistics import Blocks, unpaired_speedup


def record_of(medians, seed, **facts) -> Record:
    rng = np.random.default_rng(seed)
    record = Record(Path("record"), replace(host.describe(), emulated=False, **facts), "now", 1.0, {})
    for name, median in medians.items():
        samples = median * rng.normal(1, 0.01, 1000)
        blocks = Blocks(samples, np.full((5, 10), 20))
        opened = (Opened(0.1, 0.1, 0.1, 1, 1, 1, True),) * 5
        described = {"format": None, "quantization": None, "parity": None, "accuracy": None, "runtime": "litert"}
        record.results.append(
            Result(
                path=Path(f"/{seed}/cnn/{name}"),
                size_bytes=1,
                **described,
                threads=1,
                batch=1,
                samples="s.npz",
                invoke=blocks,
                end_to_end=blocks,
                paced=None,
                opened=opened,
                marked={},
            )
        )
    return record


OLD = {"a.tflite": 20e-6, "b.tflite": 20e-6, "c.tflite": 20e-6, "gone.tflite": 1e-6}
NEW = {"a.tflite": 20e-6, "b.tflite": 30e-6, "c.tflite": 10e-6, "added.tflite": 1e-6}


def test_on_one_machine_each_configuration_gets_a_verdict():
    same, pairs = compare(record_of(OLD, 1), record_of(NEW, 2))
    assert same
    assert {pair.new.path.name: pair.verdict for pair in pairs} == {
        "a.tflite": "indistinguishable",
        "b.tflite": "slower",
        "c.tflite": "faster",
    }


@pytest.mark.parametrize(("tolerance", "regressed"), [(0.05, True), (0.4, True), (0.6, False)])
def test_a_regression_is_surely_more_than_the_tolerance(tolerance, regressed):
    _, pairs = compare(record_of(OLD, 1), record_of(NEW, 2))
    assert [pair.new.path.name for pair in pairs if pair.regressed(tolerance)] == ["b.tflite"] * regressed


def test_on_two_machines_there_is_no_verdict():
    same, pairs = compare(record_of(OLD, 1), record_of(NEW, 2, cpu="another"))
    assert not same
    assert {pair.verdict for pair in pairs} == {None}
    assert not any(pair.regressed(0.0) for pair in pairs)


def test_two_runs_of_the_same_are_called_different_at_most_one_time_in_twenty():
    rng = np.random.default_rng(0)

    def run():
        between, within = rng.normal(0, 0.02, (5, 1, 1)), rng.normal(0, 0.02, (5, 8, 1))
        return Blocks(np.exp(between + within + rng.normal(0, 0.02, (5, 8, 20))).ravel(), np.full((5, 8), 20))

    changes = [unpaired_speedup(run(), run()) for _ in range(300)]
    assert np.mean([change.low <= 1 <= change.high for change in changes]) >= 0.95
