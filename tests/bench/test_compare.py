"""Two records: what is said of them on one machine and on two."""

import numpy as np
import pytest

from tests.bench import made_up
from toolkit.bench.compare import compare
from toolkit.bench.statistics import Blocks, unpaired_speedup


def record_of(medians, seed, **facts):
    record = made_up.record(**facts)
    record.results = [
        made_up.result(median, path=f"/{seed}/cnn/{name}", seed=100 * seed + number, spread=0.01)
        for number, (name, median) in enumerate(medians.items())
    ]
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
