"""One contract over every runtime: the folder is the registry."""

import os
import tempfile

import numpy as np
import pytest

from toolkit import extras, registry, runtimes
from toolkit.errors import ArtifactError, MissingExtraError, UsageError
from toolkit.extras import EXTRA_OF
from toolkit.golden import read as read_golden
from toolkit.runtimes.base import batch_of

# TFLM has wheels for few machines.
NAMES = [name for name in registry.names("toolkit.runtimes") if name != "tflm" or runtimes.installed(name)]


def open_here(path):
    """Open with the runtime's own choice of threads: TensorFlow's are set once per process, and the tests share one."""
    return runtimes.open_session(path, threads=0)


@pytest.fixture(
    params=[pytest.param(n, marks=[pytest.mark.training, pytest.mark.slow] if n == "keras" else ()) for n in NAMES]
)
def name(request):
    with runtimes.choosing(request.param):
        yield request.param


@pytest.fixture
def path(name, exported_once):
    file = {"keras": "cnn.keras", "onnxruntime": "cnn-float32.onnx"}.get(name, "cnn-float32.tflite")
    return exported_once / file


@pytest.fixture
def images(exported_once):
    return read_golden(exported_once / "golden.npz").images


@pytest.fixture
def reference(exported_once):
    return read_golden(exported_once / "golden.npz").reference


def test_a_runtime_declares_what_the_registry_needs(name):
    module = runtimes.get(name)
    assert all(suffix.startswith(".") for suffix in module.SUFFIXES)
    assert module.PACKAGE.partition(".")[0] in EXTRA_OF
    assert module.DISTRIBUTIONS
    assert set(module.DISTRIBUTIONS) <= runtimes.versions().keys()


def test_a_runtime_is_found_by_its_suffixes(name, path):
    assert runtimes.for_file(path) == name
    assert runtimes.installed(name)


def test_a_runtime_computes_what_the_reference_computes(path, images, reference):
    outputs = open_here(path).predict(images)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, reference, atol=1e-5)


def test_a_session_writes_nothing_that_a_kill_could_leave(path, images, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_here(path).predict(images[:2])
    assert list(tmp_path.iterdir()) == []


def test_a_session_describes_its_tensors(name, path):
    session = open_here(path)
    batch = 1 if name == "tflm" else None
    assert session.input.shape == (batch, 8, 8, 1)
    assert session.output.shape == (batch, 3)
    assert (session.input.name, session.output.name) == ("image", "probabilities")
    assert session.input.scale is None


def test_a_batch_gives_what_single_images_give(path, images):
    session = open_here(path)
    together = session.predict(images[:7])
    for row in range(7):
        np.testing.assert_allclose(session.predict(images[row : row + 1])[0], together[row], atol=1e-6)


def test_a_session_gives_copies_of_its_outputs(path, images):
    session = open_here(path)
    first = session.predict(images[:1])
    kept = first.copy()
    session.predict(images[1:2])
    np.testing.assert_array_equal(first, kept)


def test_images_of_another_shape_are_refused(path):
    with pytest.raises(ArtifactError, match="takes images"):
        open_here(path).predict(np.zeros((2, 9, 8, 1), np.uint8))


@pytest.mark.parametrize("content", [b"", b"nonsense", 100, 1000])
def test_a_damaged_file_is_one_clear_error(path, tmp_path, content):
    damaged = tmp_path / f"damaged{path.suffix}"
    damaged.write_bytes(path.read_bytes()[:content] if isinstance(content, int) else content)
    with pytest.raises(ArtifactError, match=r"damaged\."):
        open_here(damaged)


def test_a_missing_file_is_named(path, tmp_path):
    with pytest.raises(ArtifactError, match="no such file"):
        open_here(tmp_path / f"none{path.suffix}")


def test_a_missing_package_names_the_extra(path, name, monkeypatch):
    monkeypatch.setattr("toolkit.extras.find_spec", lambda module: None)
    assert not runtimes.installed(name)
    with pytest.raises(MissingExtraError, match="pip install 'edge-model-toolkit"):
        open_here(path)


def test_an_unknown_suffix_names_the_allowed_ones(tmp_path):
    with pytest.raises(UsageError, match=r"\.keras, \.tflite, \.onnx"):
        runtimes.for_file(tmp_path / "model.pt")
    with pytest.raises(UsageError, match=r"model: no runtime runs files without a suffix; allowed: \.keras"):
        runtimes.for_file(tmp_path / "model")


def test_quantized_inputs_and_outputs_are_encoded_and_decoded(exported_once, images, reference):
    session = runtimes.open_session(exported_once / "cnn-int8.tflite")
    assert session.input.dtype == session.output.dtype == "int8"
    step = session.input.scale
    encoded = session.encode(session.convention.values(np.array([0, 100, 255], np.uint8)))
    assert encoded.tolist() == [-128, round(100 / 255 / step) - 128, 127]
    np.testing.assert_allclose(session.predict(images), reference, atol=0.2)


@pytest.mark.training
def test_plain_integer_inputs_are_the_pixels(tmp_path):
    """A model that takes uint8 without a scale, as many published ones do."""
    from onnx import TensorProto, helper, save

    nodes = [helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT)]
    nodes.append(helper.make_node("Flatten", ["real"], ["probabilities"]))
    graph = helper.make_graph(
        nodes,
        "pixels",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 1, 2, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    save(model, tmp_path / "pixels.onnx")
    session = runtimes.open_session(tmp_path / "pixels.onnx")
    assert session.predict(np.array([[[[7], [255]]]], np.uint8)).tolist() == [[7.0, 255.0]]


@pytest.mark.training
def test_a_fixed_batch_is_respected(tmp_path):
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        [helper.make_node("Flatten", ["image"], ["probabilities"])],
        "fixed",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [2, 1, 2, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [2, 2])],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "fixed.onnx")
    session = runtimes.open_session(tmp_path / "fixed.onnx")
    images = np.arange(6, dtype=np.uint8).reshape(3, 1, 2, 1) * 51  # three images: the last batch is filled up
    np.testing.assert_allclose(session.predict(images), images.reshape(3, 2) / 255, atol=1e-6)
    assert batch_of(session.inputs, 1, path=session.path) == batch_of(session.inputs, 2, path=session.path) == 1
    with pytest.raises(ArtifactError, match=r"fixed to \(2, 1, 2, 1\); a batch of 3 was asked for"):
        batch_of(session.inputs, 3, path=session.path)


def test_every_set_of_kernels_computes_the_same(name, path, images, reference):
    module = runtimes.get(name)
    for kernels in module.KERNELS:
        outputs = module.open_session(path, threads=0, kernels=kernels).predict(images)
        np.testing.assert_allclose(outputs, reference, atol=1e-5, err_msg=kernels)


@pytest.mark.training
def test_a_trace_has_a_row_for_each_image_and_ends_with_the_output(name, path, images):
    traced = runtimes.get(name).trace(path, images[:7] / np.float32(255))
    assert len(traced) > 4
    assert all(len(tensor.values) == 7 for tensor in traced)
    np.testing.assert_allclose(traced[-1].values, open_here(path).predict(images[:7]), atol=1e-6)


@pytest.mark.training
def test_a_runtime_names_the_operators_of_a_file_and_who_executes_them(name, path):
    module = runtimes.get(name)
    operators = [node.operator for node in module.nodes(path)]
    assert len(operators) > 4
    assert {operator.kernels for operator in operators} <= set(module.KERNELS)


def test_a_runtime_counts_multiply_accumulates(name, path):
    """The tiny CNN: 8×8×1 images, convolutions to 32 and 64 channels with pools between, 128 and 3 units."""
    module = runtimes.get(name)
    counts = [node.operator.macs for node in module.nodes(path)]
    expected = [8 * 8 * 9 * 32, 4 * 4 * 9 * 32 * 64, 2 * 2 * 64 * 128, 128 * 3]
    assert [count for count in counts if count] == expected
    times = 1 if name == "tflm" else 3
    thrice = [node.operator.macs for node in module.nodes(path, batch=3)]
    assert [count for count in thrice if count] == [times * count for count in expected]
    weights = 4 * (9 * 32 + 32 + 9 * 32 * 64 + 64 + 256 * 128 + 128 + 128 * 3 + 3)
    assert weights <= sum(node.operator.weight_bytes for node in module.nodes(path)) <= weights + 100


def test_the_prefixes_of_a_file_run_and_the_last_is_the_whole(name, path, images):
    module = runtimes.get(name)
    prefixes = module.prefixes(path)
    if name == runtimes.REFERENCE_RUNTIME:
        assert prefixes == []
        return
    assert len(prefixes) == len(module.nodes(path)) + 1
    images = images[: prefixes[0].input.shape[0] or 7]
    outputs = []
    for session in prefixes:
        session.resize(len(images))
        session.set_inputs([session.encode(images / np.float32(255))])
        session.invoke()
        outputs.append(session.read_outputs()[-1])
    np.testing.assert_array_equal(outputs[0], images / np.float32(255))
    np.testing.assert_allclose(outputs[-1], open_here(path).predict(images), atol=1e-6)


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
def test_a_probe_is_one_dense_layer_in_one_arithmetic(name, arithmetic, tmp_path):
    module = runtimes.get(name)
    probe = tmp_path / f"probe{module.SUFFIXES[0]}"
    if not module.write_probe(probe, arithmetic=arithmetic, rows=3, width=16):
        assert name == runtimes.REFERENCE_RUNTIME
        assert not probe.exists()
        return
    (node,) = module.nodes(probe)
    operator = node.operator
    assert (operator.macs, operator.arithmetic) == (3 * 16 * 16, arithmetic)
    assert operator.kernels == module.KERNELS[0]
    session = module.open_session(probe)
    session.resize(3)
    session.set_inputs([np.ones((3, 16), session.input.dtype)])
    session.invoke()
    assert session.read_outputs()[0].shape == (3, 16)


@pytest.mark.parametrize(("asked", "given"), [(0, 3), (1, 1), (2, 2)])
def test_litert_takes_every_core_of_this_process_unless_told(exported_once, monkeypatch, asked, given):
    module = extras.load("ai_edge_litert.interpreter")
    interpreter, threads = module.Interpreter, []

    def counting(*args, num_threads, **more):
        threads.append(num_threads)
        return interpreter(*args, num_threads=num_threads, **more)

    monkeypatch.setattr(module, "Interpreter", counting)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 5})
    runtimes.get("litert").open_session(exported_once / "cnn-float32.tflite", threads=asked)
    assert threads == [given]
