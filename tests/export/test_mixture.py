"""Artifacts in int8 but for the layers that this costs too much: which ones, and that they run as any other."""

from dataclasses import replace

import numpy as np
import pytest

from tests.compress.networks import uneven
from toolkit import api, runtimes
from toolkit.convention import Convention
from toolkit.data.base import Split
from toolkit.data.base.parts import divide
from toolkit.errors import ArtifactError, ExportFailedError
from toolkit.export import mixture
from toolkit.export.exporter import GOAL_ROWS, ExportOptions, export
from toolkit.export.formats import every, plan
from toolkit.export.mixture import Goal, choose
from toolkit.export.sources import resolve
from toolkit.parity.localize import localize
from toolkit.runtimes.litert import XNNPACK

MIXED = [("tflite", "mixed")]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("uneven") / "uneven.keras"
    uneven().save(path)
    return path


@pytest.fixture(scope="module")
def exported(source, tiny):
    options = ExportOptions([*MIXED, ("tflite", "int8")], 50)
    result = export(resolve(str(source)), tiny, source.parent / "exported", options, warn=lambda text: None)
    assert result.failures == {}
    return result.manifest


def mixed(exported):
    return next(one for one in exported.artifacts if one.quantization == "mixed")


@pytest.mark.slow
def test_the_layers_that_int8_costs_accuracy_are_in_float_and_no_others(exported, tiny):
    test = tiny.test
    right = {}
    for artifact in exported.artifacts:
        session = runtimes.open_session(exported.folder / artifact.path)
        session.convention = exported.convention
        right[artifact.path] = float(np.mean(session.predict(test.images).argmax(axis=1) == test.labels))
    assert right.pop("uneven-int8.tflite") < 0.6
    assert right == {"uneven-mixed.tflite": 1}
    assert sorted(mixed(exported).details["float16"]) == ["answer", "wide"]


@pytest.mark.slow
def test_a_mixed_artifact_is_verified_localized_and_run_as_any_other(exported, tiny, tiny_npz):
    artifact = mixed(exported)
    path = exported.folder / artifact.path
    parity = api.verify(path, data=tiny_npz, margin_pp=5.0)
    assert [(one.problem, one.figures.lost) for one in parity.comparisons] == [(None, 0)]
    localized = localize(exported, artifact, tiny.test.images)
    assert localized.culprit is None, [(layer.name, layer.own_sqnr_db) for layer in localized.layers]
    assert (artifact.inputs[0].dtype, artifact.outputs[0].dtype) == ("float32", "float32")
    kinds = {operator.arithmetic for operator in localized.operators if operator.macs}
    assert kinds == {"int8", "float32"}


@pytest.mark.slow
def test_xnnpack_runs_it_and_the_weights_in_float_take_two_bytes(exported):
    path = exported.folder / mixed(exported).path
    operators = [node.operator for node in runtimes.get("litert").nodes(path)]
    # XNNPACK has no average pooling of int8.
    assert {one.name for one in operators if one.kernels != XNNPACK} == {"AVERAGE_POOL_2D"}
    assert [one.name for one in operators].count("DEQUANTIZE") == 3  # two kernels, and what goes into "wide"
    wide = np.asarray(uneven().get_layer("wide").kernel).T
    kept = [wide.astype(dtype).tobytes() in path.read_bytes() for dtype in (np.float16, np.float32)]
    assert kept == [True, False]


@pytest.mark.slow
def test_tflm_which_unpacks_no_float16_does_not_take_it(exported):
    with runtimes.choosing("tflm"):
        assert not runtimes.takes(exported.folder / "uneven-mixed.tflite", "mixed")


@pytest.mark.slow
def test_where_int8_is_good_enough_that_is_said_and_nothing_is_made(trained_folder, tiny, tmp_path):
    options = ExportOptions(MIXED, 50)
    with pytest.raises(
        ExportFailedError,
        match=r"cnn-mixed.tflite: int8 gets 100.00 % of 48 validation rows right, where 99.50 % are wanted: take int8",
    ):
        export(resolve(str(trained_folder)), tiny, tmp_path, options, warn=pytest.fail)


@pytest.mark.slow
def test_a_model_that_learned_to_round_is_refused(rounding_folder, tiny, tmp_path):
    with pytest.raises(ExportFailedError, match="has learned to round as integer kernels do: its int8 file has all"):
        export(resolve(str(rounding_folder)), tiny, tmp_path, ExportOptions(MIXED), warn=pytest.fail)


def test_it_is_made_only_if_it_is_asked_for():
    assert set(every()) - set(plan([], [])) - {("c", "int8")} == set(MIXED)
    assert plan([], ["mixed"]) == MIXED
    assert plan(["tflite"], ["int8", "mixed"]) == [("tflite", "int8"), ("tflite", "mixed")]


def test_the_goal_is_of_validation_rows_and_else_of_training_rows(tiny):
    options = ExportOptions(MIXED, least_accuracy=0.9, most_bytes=5_000.0)
    validated = options.goal(divide(tiny, share=0.2, seed=0))
    assert (len(validated.rows), validated.limits) == (
        48,
        {"which": "validation rows", "least_accuracy": 0.9, "most_bytes": 5_000.0},
    )
    trained = options.goal(divide(tiny, share=0.0, seed=0))
    assert (len(trained.rows), trained.which) == (min(240, GOAL_ROWS), "training rows")
    assert replace(options, pairs=plan([], [])).goal(divide(tiny, share=0.2, seed=0)) is None


# Of the layers in float, how many of 100 rows are right; every other choice gets what its best part gets.
KNOWN = {(): 50, ("a",): 60, ("c",): 70, ("a", "b"): 90, ("a", "b", "c"): 95}
BYTES = {"a": 100, "b": 1_000, "c": 10}


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Choose among layers a, b and c, of this noise, whose files are as large and as good as the tables above say."""
    converted = []

    def convert(in_float):
        converted.append(in_float)
        path = tmp_path / "file.tflite"
        path.write_bytes(bytes(1_000 + sum(BYTES[name] for name in in_float)))
        return path

    class Opened:
        def predict(self, images):
            best = max(right for names, right in KNOWN.items() if set(names) <= set(converted[-1]))
            return np.eye(2)[(np.arange(100) < best).astype(int)]

    monkeypatch.setattr("toolkit.export.mixture.runtimes.open_session", lambda path, threads: Opened())
    monkeypatch.setattr(mixture, "rank_by_noise", lambda *_: ["a", "b", "c"])
    split = Split(np.zeros((100, 1, 1, 1), np.uint8), np.ones(100, np.int64))

    def carry_out(least, most=None):
        return choose(convert, None, np.zeros((1, 1)), Goal(split, "validation rows", least, most), Convention())

    return carry_out, converted


@pytest.mark.parametrize(
    ("least", "expected"), [(0.55, ("a",)), (0.85, ("a", "b")), (0.95, ("a", "b", "c")), (0.65, ("a", "b"))]
)
def test_the_noisiest_layers_are_left_in_float_until_enough_rows_are_right(made_up, least, expected):
    carry_out, _ = made_up
    assert carry_out(least) == expected


def test_a_layer_that_is_not_needed_goes_back_to_int8_the_largest_first(made_up, monkeypatch):
    monkeypatch.setitem(KNOWN, ("a", "b"), 60)
    carry_out, converted = made_up
    assert carry_out(0.7) == ("c",)
    assert converted == [(), ("a",), ("a", "b"), ("a", "b", "c"), ("a", "c"), ("c",)]


def test_a_goal_that_nothing_reaches_is_said_with_what_came_nearest(made_up):
    carry_out, _ = made_up
    with pytest.raises(
        ArtifactError,
        match=r"with 3 layers in float it gets 95.00 % of 100 validation rows right, where 99.00 % are wanted; none",
    ):
        carry_out(0.99)
    with pytest.raises(
        ArtifactError, match=r"in float as is needed \(a, b\) it takes 2.10 kB, where 2.00 kB are allowed"
    ):
        carry_out(0.85, 2_000.0)
