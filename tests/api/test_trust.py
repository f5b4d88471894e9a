"""What tests the tests, from Python."""

import pytest

from toolkit import api
from toolkit.errors import UsageError


@pytest.mark.slow
def test_an_artifact_is_compared_layer_by_layer(exported_once, here):
    localized = api.localize(exported_once / "cnn-int8.tflite")
    assert (localized.passed, localized.culprit) == (True, None)
    assert localized.layers[0].name
    assert list(here.iterdir()) == []
    with pytest.raises(UsageError, match="a folder; name one artifact"):
        api.localize(exported_once)


def test_a_self_test_needs_a_sensible_number_of_exports(exported_once, tiny_npz):
    with pytest.raises(UsageError, match="the number of exports is -1; it must be from 0 to 1,000"):
        api.selftest(exported_once, data=tiny_npz, reexports=-1)


@pytest.mark.slow
def test_the_benchmark_is_certified(exported_once, here, monkeypatch):
    monkeypatch.setattr("toolkit.bench.certify.LONGEST_S", 0.5)
    steps = []
    certificate = api.certify(exported_once, seconds=0.01, processes=1, on_step=steps.append)
    assert certificate.path.parent.parent == api.BENCHMARKS
    assert certificate.path.is_file()
    assert certificate.artifact.name == min(
        (path for path in exported_once.iterdir() if path.suffix in (".tflite", ".onnx")),
        key=lambda path: path.stat().st_size,
    ).name  # fmt: skip
    assert (steps[0].done, steps[0].total) == (0, 100)
