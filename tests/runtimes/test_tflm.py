"""TFLM beside LiteRT, whose plain loops compute the same. What every runtime must do, the contract tests."""

from pathlib import Path

import numpy as np
import pytest

from toolkit import golden, manifest, runtimes
from toolkit.bench import candidates
from toolkit.errors import ArtifactError, UsageError
from toolkit.parity.verify import VerifyOptions, verify
from toolkit.runtimes import litert, tflm

pytestmark = [
    pytest.mark.training,  # a device has no tflite-micro
    pytest.mark.skipif(not runtimes.installed("tflm"), reason="tflite-micro is not installed"),
]


@pytest.fixture
def int8(exported_once):
    return exported_once / "cnn-int8.tflite"


@pytest.fixture
def images(exported_once):
    return golden.read(exported_once / "golden.npz").images[:20]


def test_an_int8_file_answers_as_in_the_plain_loops_of_litert(int8, images):
    session = tflm.open_session(int8)
    expected = litert.open_session(int8, kernels=litert.REFERENCE).predict(images)
    np.testing.assert_allclose(session.predict(images), expected, atol=1.01 * session.output.scale)


def test_the_tensors_of_an_int8_file_are_litert_s_to_a_step(int8, images):
    values = images / np.float32(255)
    expected = {tensor.name: tensor.values for tensor in litert.trace(int8, values)}
    traced = tflm.trace(int8, values)
    assert len(traced) > 4
    for tensor in traced:
        steps = np.unique(np.diff(np.unique(expected[tensor.name])))
        np.testing.assert_allclose(tensor.values, expected[tensor.name], atol=2 * steps.min(), err_msg=tensor.name)


def test_the_arena_holds_at_least_what_is_alive_together(int8):
    """8×8×32 of the first convolution and 4×4×32 of its pooling, and the interpreter's own structures."""
    session = tflm.TFLMSession(int8)
    assert 8 * 8 * 32 + 4 * 4 * 32 < session.arena_bytes < 20_000
    assert session.remark.startswith("TFLM's reference kernels on this CPU: times of no microcontroller;")


def test_an_input_of_another_shape_is_refused_in_one_line(int8):
    session = tflm.open_session(int8)
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite: TFLM does not take the input: .*Dimension mismatch"):
        session.set_inputs([np.zeros((2, 8, 8, 1), np.int8)])


def test_several_threads_are_refused(int8):
    with pytest.raises(ArtifactError, match="TFLM computes in one thread; 2 were asked for"):
        tflm.open_session(int8, threads=2)


def test_what_tflm_has_no_kernels_for_is_told_in_its_words(exported_once):
    why = r"cnn-dynamic\.tflite: TFLM, which takes int8 and float32, cannot load it: .*Hybrid models are not supported"
    with pytest.raises(ArtifactError, match=why):
        tflm.open_session(exported_once / "cnn-dynamic.tflite")


def test_nothing_that_tflm_prints_comes_through(int8, exported_once, images, capfd):
    tflm.open_session(int8).predict(images[:1])
    with pytest.raises(ArtifactError):
        tflm.open_session(exported_once / "cnn-dynamic.tflite")
    assert capfd.readouterr() == ("", "")


def test_tflm_runs_files_only_if_it_is_chosen(int8, exported_once):
    assert runtimes.for_file(int8) == "litert"
    assert runtimes.suffixes() == (".keras", ".tflite", ".onnx")
    assert runtimes.is_own(int8)
    with runtimes.choosing("tflm"):
        assert runtimes.for_file(int8) == "tflm"
        assert not runtimes.is_own(int8)
        assert runtimes.suffixes() == (".tflite",)
        with pytest.raises(UsageError, match=r"x\.onnx: tflm does not run '\.onnx' files; allowed: \.tflite"):
            runtimes.for_file(exported_once / "x.onnx")
    with runtimes.choosing(None):
        assert runtimes.for_file(int8) == "litert"


def test_a_folder_is_verified_without_what_tflm_does_not_run(exported_once):
    said = []
    with runtimes.choosing("tflm"):
        found = manifest.read(exported_once)
        verified = verify(found, found.artifacts, VerifyOptions(by_golden=True), warn=said.append)
        others = [one for one in found.artifacts if one.path == "cnn-int8.onnx"]
        with pytest.raises(UsageError, match=r"cnn-int8\.onnx: tflm does not run '\.onnx' files"):
            verify(found, others, VerifyOptions(by_golden=True), warn=pytest.fail)
    judged = [(Path(one.artifact).name, one.runtime, one.verdict, one.recorded) for one in verified.comparisons]
    assert judged == [(f"cnn-{kind}.tflite", "tflm", "pass", None) for kind in ("float32", "int8")]
    left = "cnn-float32.onnx, cnn-int8.onnx, cnn-float16.tflite, cnn-dynamic.tflite"
    assert said == [f"{exported_once}: left out, the runtime does not run them: {left}"]


def test_a_benchmark_of_a_folder_leaves_them_out_too(exported_once):
    said = []
    with runtimes.choosing("tflm"):
        found = candidates.select([exported_once], warn=said.append)
    assert [(one.path.name, one.runtime) for one in found] == [
        ("cnn-float32.tflite", "tflm"),
        ("cnn-int8.tflite", "tflm"),
    ]
    assert len(said) == 1
    assert said[0].startswith("left out, the runtime does not run them: ")
