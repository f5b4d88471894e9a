"""Two records: what is said of them on one machine and on two."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import made_up
from toolkit.bench.compare_records import compare
from toolkit.bench.statistics import Blocks, unpaired_speedup
from toolkit.errors import ArtifactError, UsageError


def record_of(medians, seed, **facts):
    made = made_up.record(**facts)
    made.results = [
        made_up.result(median, path=f"/{seed}/cnn/{name}", seed=100 * seed + number, spread=0.01)
        for number, (name, median) in enumerate(medians.items())
    ]
    return made


OLD = {"a.tflite": 20e-6, "b.tflite": 20e-6, "c.tflite": 20e-6, "gone.tflite": 1e-6}
NEW = {"a.tflite": 20e-6, "b.tflite": 30e-6, "c.tflite": 10e-6, "added.tflite": 1e-6}


def test_on_one_machine_each_configuration_gets_a_verdict():
    compared = compare(record_of(OLD, 1), record_of(NEW, 2))
    assert compared.same_host
    assert {pair.new.path.name: pair.verdict for pair in compared.pairs} == {
        "a.tflite": "indistinguishable",
        "b.tflite": "slower",
        "c.tflite": "faster",
    }


@pytest.mark.parametrize(("tolerance", "regressed"), [(0.05, True), (0.4, True), (0.6, False)])
def test_a_regression_is_surely_more_than_the_tolerance(tolerance, regressed):
    compared = compare(record_of(OLD, 1), record_of(NEW, 2), tolerance=tolerance)
    assert [pair.new.path.name for pair in compared.slower] == ["b.tflite"] * regressed
    within = {Path(pair["artifact"]).name: pair["within"] for pair in compared.to_json()["compared"]}
    assert within == {"a.tflite": True, "b.tflite": not regressed, "c.tflite": True}
    assert (bool(compared), compared.verdict) == (not regressed, "fail" if regressed else "pass")


def test_on_two_machines_there_is_no_verdict():
    compared = compare(record_of(OLD, 1), record_of(NEW, 2, cpu="another"))
    assert (compared.same_host, compared.differing) == (False, ("cpu",))
    assert {pair.verdict for pair in compared.pairs} == {None}
    assert {pair["within"] for pair in compared.to_json()["compared"]} == {None}
    assert (bool(compared), compared.slower, compared.verdict) == (True, [], None)


def test_what_can_no_longer_be_measured_is_told():
    new = record_of(NEW, 2)
    new.failures = {"/2/cnn/gone.tflite": "it crashed"}
    compared = compare(record_of(OLD, 1), new)
    assert [result.path.name for result in compared.gone] == ["gone.tflite"]
    assert compared.failed == {"/2/cnn/gone.tflite": "it crashed"}
    assert not compared


def test_emulated_records_are_not_compared():
    emulated = record_of(NEW, 2)
    emulated.host = replace(emulated.host, emulated=True)
    for pair in ((record_of(OLD, 1), emulated), (emulated, record_of(OLD, 1))):
        with pytest.raises(ArtifactError, match="made under emulation"):
            compare(*pair)


def test_records_of_other_artifacts_are_refused_with_what_each_has():
    old, new = record_of({"a.tflite": 1e-6, "b.tflite": 1e-6}, 1), record_of({}, 2)
    new.results = [made_up.result(1e-6, path="a.tflite")]
    old.folder, new.folder = Path("old"), Path("new")
    with pytest.raises(ArtifactError) as refused:
        compare(old, new)
    assert str(refused.value) == (
        "the records have no configuration in common: old has cnn/a.tflite (litert, 1 thread, 1 image) and 1 other and "
        "new has a.tflite (litert, 1 thread, 1 image); compare records of the same files"
    )


def test_a_record_without_results_is_told_as_one():
    with pytest.raises(ArtifactError, match="record has no results and record has no results; compare records of"):
        compare(record_of({}, 1), record_of({}, 2))


def test_a_negative_tolerance_is_refused():
    with pytest.raises(UsageError, match="the tolerance, in percent, is -100; it must be from 0 to 100,000"):
        compare(record_of(OLD, 1), record_of(NEW, 2), tolerance=-1.0)


@pytest.mark.slow
def test_two_runs_of_the_same_are_called_different_at_most_one_time_in_twenty():
    rng = np.random.default_rng(0)

    def run():
        between, within = rng.normal(0, 0.02, (5, 1, 1)), rng.normal(0, 0.02, (5, 8, 1))
        return Blocks(np.exp(between + within + rng.normal(0, 0.02, (5, 8, 20))).ravel(), np.full((5, 8), 20))

    changes = [unpaired_speedup(run(), run()) for _ in range(300)]
    assert np.mean([change.low <= 1 <= change.high for change in changes]) >= 0.95
