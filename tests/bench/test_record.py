"""What to ship, from made-up measurements."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import made_up
from toolkit import manifest
from toolkit.bench.advice import Requirements, recommend
from toolkit.bench.record import make
from toolkit.bench.statistics import Blocks
from toolkit.errors import UsageError
from toolkit.interval import Interval
from toolkit.runtimes import for_file


@pytest.fixture
def record_of(exported):
    """Build a record from medians in µs by artifact, and verdicts by artifact."""

    def build(medians, verdicts=None, spread=0.001):
        listed = {artifact.path: artifact for artifact in manifest.read(exported).artifacts}
        record = made_up.record()
        for seed, (name, median) in enumerate(medians.items()):
            artifact = listed.get(name)
            facts = {
                "size_bytes": (exported / name).stat().st_size,
                "format": artifact.format if artifact else None,
                "quantization": artifact.quantization if artifact else None,
                "parity": (verdicts or {}).get(name),
                "accuracy": 0.99,
                "runtime": for_file(Path(name)),
            }
            record.results.append(
                made_up.result(median * 1e-6, path=exported / name, seed=seed, spread=spread, **facts)
            )
        return record

    return build


def test_the_fastest_is_recommended_with_its_reasons(record_of):
    record = record_of(
        {"cnn-float32.tflite": 60, "cnn-int8.tflite": 20},
        {"cnn-float32.tflite": "pass", "cnn-int8.tflite": "pass"},
    )
    (choice,) = record.recommendations
    assert choice["artifact"].endswith("cnn-int8.tflite")
    assert choice["why"].startswith("the fastest of 2 measured here: 20.0 µs per inference, at least 2.9")
    assert "verified (pass), accuracy 99.00 %" in choice["why"]


def test_models_that_no_manifest_lists_do_not_compete_unless_asked(record_of):
    """They may do different things."""
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20})
    foreign = [replace(one, format=None, quantization=None, accuracy=None) for one in record.results]
    record.results = foreign
    assert record.recommendations == []
    record.budgets = Requirements.parse("1ms", None, None)
    assert record.recommendations[0]["artifact"].endswith("cnn-int8.tflite")


@pytest.mark.parametrize(("low", "told"), [(1.004, False), (1.02, True)])
def test_a_speed_up_is_told_if_something_is_left_of_it_in_percent(low, told):
    result = made_up.result(1e-6, format="tflite")
    (choice,) = recommend([result], Requirements(), lambda one: Interval(1.1, low, 1.2), kernels=None)
    assert ("at least 1.02 times as fast" in choice["why"], "times as fast" in choice["why"]) == (told, told)


def test_an_artifact_that_failed_its_verification_is_never_recommended(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20}, {"cnn-int8.tflite": "fail"})
    assert record.recommendations[0]["artifact"].endswith("cnn-float32.tflite")


def test_an_artifact_that_answers_otherwise_here_is_never_recommended_nor_on_the_front(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20})
    record.results[1] = replace(record.results[1], golden="3 of 500 predictions are not those")
    (choice,) = record.recommendations
    assert choice["artifact"].endswith("cnn-float32.tflite")
    assert choice["why"].startswith("the only one measured here")
    assert [Path(one).name for one in choice["front"]] == ["cnn-float32.tflite"]


def test_where_none_may_be_shipped_each_reason_is_told(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20}, {"cnn-float32.tflite": "fail"})
    record.results[1] = replace(record.results[1], golden="3 of 500 predictions are not those")
    (choice,) = record.recommendations
    assert choice["fits"] is False
    assert choice["why"].startswith("nothing to ship: 1 failed their verification, the others answer differently here")


HERE, THERE = "x86_64 with AVX2", "x86_64 with AVX2, AVX-512 and VNNI"


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [
        (HERE, HERE, ""),
        (HERE, THERE, f" measured on {THERE}"),
        (HERE, None, " measured on a kind of CPU that was not recorded"),
        (None, THERE, f" measured on {THERE}"),
        (None, None, " measured on a kind of CPU that was not recorded"),
    ],
)
def test_an_accuracy_from_another_kind_of_cpu_says_so(record_of, here, there, told):
    record = record_of({"cnn-int8.tflite": 20}, {"cnn-int8.tflite": "pass"})
    record.host = replace(record.host, kernels=here)
    record.results = [replace(one, accuracy_measured_on=there) for one in record.results]
    record.budgets = Requirements.parse(None, None, 98.9)
    (choice,) = record.recommendations
    assert choice["fits"]
    assert choice["why"].endswith(f"verified (pass), accuracy 99.00 %{told}")
    assert record.to_json()["results"][0]["accuracy_measured_on"] == there


def test_of_those_that_tie_the_smallest_is_recommended(record_of):
    record = record_of({"cnn-float32.tflite": 20, "cnn-int8.tflite": 20.05}, spread=0.1)
    (choice,) = record.recommendations
    assert choice["artifact"].endswith("cnn-int8.tflite")
    assert "the smallest of the 2 fastest" in choice["why"]
    assert "not verified yet" in choice["why"]


def test_a_result_that_is_surely_slower_in_the_same_turns_does_not_tie(record_of):
    """The intervals of both overlap, since what drifts is the machine; turn by turn one is slower."""
    record = record_of({"cnn-float32.tflite": 20, "cnn-int8.tflite": 20})
    fast, slow = record.results
    drift = np.repeat(np.linspace(0.8, 1.2, fast.invoke.lengths.size), fast.invoke.lengths.ravel())
    record.results = [
        replace(one, invoke=Blocks(factor * 20e-6 * drift, one.invoke.lengths), size_bytes=size)
        for one, factor, size in ((fast, 1.0, 2000), (slow, 1.07, 1000))
    ]
    (choice,) = record.recommendations
    assert choice["artifact"].endswith("cnn-float32.tflite")
    assert choice["why"].startswith("the fastest of 2")


def test_of_those_that_tie_in_speed_and_size_the_most_accurate_is_recommended(record_of):
    record = record_of({"cnn-float32.tflite": 20, "cnn-int8.tflite": 20.05}, spread=0.1)
    record.results = [
        replace(one, size_bytes=1000, accuracy=accuracy)
        for one, accuracy in zip(record.results, (0.98, 0.99), strict=True)
    ]
    assert record.recommendations[0]["artifact"].endswith("cnn-int8.tflite")


def test_where_all_failed_their_verification_nothing_is_recommended(record_of):
    record = record_of({"cnn-int8.tflite": 20}, {"cnn-int8.tflite": "fail"})
    (choice,) = record.recommendations
    assert (choice["fits"], choice["why"]) == (False, "nothing to ship: all failed their verification")
    assert record.to_json()["recommended"] is None


def test_an_unknown_accuracy_misses_its_budget(record_of):
    record = record_of({"cnn-int8.tflite": 20})
    record.results = [replace(one, accuracy=None) for one in record.results]
    record.budgets = Requirements.parse(None, None, 98.0)
    (choice,) = record.recommendations
    assert choice["why"].startswith("nothing fits; the nearest misses accuracy, which is not known: ")


def test_of_batches_alone_the_smallest_is_judged(record_of):
    record = record_of({"cnn-int8.tflite": 20})
    record.results = [replace(one, batch=batch) for one in record.results for batch in (64, 8)]
    record.budgets = Requirements.parse("1us", None, None)
    (choice,) = record.recommendations
    assert choice["fits"] is False


def test_a_percentile_at_the_pace_of_a_camera_is_withheld_with_a_warning():
    paced = Blocks(np.full(150, 1e-3), np.full((5, 1), 30))
    found = replace(made_up.result(20e-6), paced=paced)
    assert found.at_pace.percentiles_s[99] is None
    assert [text for text in found.warnings if "camera" in text] == [
        "p99 at the pace of a camera withheld, it needs 662 samples: more --processes or --rate"
    ]


def test_the_reference_is_measured_and_never_recommended(record_of):
    assert record_of({"cnn.keras": 1}).recommendations == []


def test_speed_ups_are_against_the_float32_of_the_same_format(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20, "cnn-int8.onnx": 10})
    speedups = [record.speedup(result) for result in record.results]
    assert speedups[0] is None
    assert speedups[1].value == pytest.approx(3, rel=0.01)
    assert speedups[2] is None


ACCURACIES = {"cnn-float32.tflite": 0.99, "cnn-float16.tflite": 0.99, "cnn-int8.tflite": 0.985}
MEDIANS = {"cnn-float32.tflite": 60, "cnn-float16.tflite": 59.9, "cnn-int8.tflite": 20}


@pytest.mark.parametrize(
    ("budgets", "chosen"),
    [
        ((None, None, None), "cnn-int8.tflite"),
        ((None, None, 98.9), "cnn-float16.tflite"),  # as fast as float32 and smaller
        (("50us", None, None), "cnn-int8.tflite"),
        (("0.1ms", "1MB", 98.0), "cnn-int8.tflite"),
    ],
)
def test_what_is_recommended_is_within_the_budgets(record_of, budgets, chosen):
    record = record_of(MEDIANS)
    record.results = [replace(r, accuracy=ACCURACIES[r.path.name]) for r in record.results]
    record.budgets = Requirements.parse(*budgets)
    (choice,) = record.recommendations
    assert (Path(choice["artifact"]).name, choice["fits"]) == (chosen, True)
    assert record.to_json()["recommended"] == choice
    assert [Path(one).name for one in choice["front"]] == ["cnn-float16.tflite", "cnn-int8.tflite"]


def test_the_front_leaves_out_what_another_betters(record_of):
    record = record_of({"cnn-float32.tflite": 60, "cnn-int8.tflite": 20})
    record.results = [replace(r, accuracy=0.99, size_bytes=100) for r in record.results]
    (choice,) = record.recommendations
    assert [Path(one).name for one in choice["front"]] == ["cnn-int8.tflite"]


def test_where_nothing_fits_the_nearest_miss_is_named(record_of):
    record = record_of(MEDIANS)
    record.results = [replace(r, accuracy=ACCURACIES[r.path.name]) for r in record.results]
    record.budgets = Requirements.parse("10us", None, 98.9)
    (choice,) = record.recommendations
    assert Path(choice["artifact"]).name == "cnn-int8.tflite"
    assert choice["fits"] is False
    assert choice["why"].startswith("nothing fits; the nearest misses latency by 100.")
    assert "accuracy by 0.4 % of the limit" in choice["why"]
    assert record.to_json()["recommended"] is None


@pytest.mark.parametrize(
    ("given", "value"), [("5ms", 0.005), ("80us", 80e-6), ("80µs", 80e-6), ("1.5 s", 1.5), ("0.1ms", 1e-4)]
)
def test_a_latency_is_read_with_its_unit(given, value):
    assert Requirements.parse(given, None, None).max_latency_s == pytest.approx(value)


@pytest.mark.parametrize("given", ["5", "fast", "5 minutes", "-1ms", "0ms", "1.2.3ms", ""])
def test_a_budget_without_a_number_and_a_unit_is_refused(given):
    with pytest.raises(UsageError, match=r"--max-latency is .*; it must be a number and a unit: s, ms, us, µs"):
        Requirements.parse(given, None, None)
    with pytest.raises(UsageError, match="--max-size is"):
        Requirements.parse(None, given, None)


@pytest.mark.parametrize("given", [0, -1, 101, float("nan")])
def test_an_accuracy_that_is_no_percentage_is_refused(given):
    with pytest.raises(UsageError, match="must be a percentage"):
        Requirements.parse(None, None, given)


def test_of_two_benchmarks_that_begin_in_the_same_second_each_has_a_folder(tmp_path):
    chosen = tmp_path / "records" / "20260101-000000"
    assert [make(chosen).name for _ in range(3)] == [chosen.name, f"{chosen.name}-2", f"{chosen.name}-3"]


@pytest.mark.parametrize("place", ["file", "file/below", "nowhere", "nowhere/below"])
def test_a_record_whose_parent_cannot_be_a_folder_is_refused_at_once(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("missing/target")
    with pytest.raises(
        UsageError, match=rf"{place}: not a folder, and none can be made there; choose another --output"
    ):
        make(tmp_path / place / "20260101-000000")
