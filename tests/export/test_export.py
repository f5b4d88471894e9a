"""Exports of the tiny CNN: what the artifacts are, and what failures leave behind."""

import resource
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.conftest import tiny_arrays
from toolkit import data, golden, locks, manifest
from toolkit.data.base import make_dataset
from toolkit.errors import ArtifactError, BusyError, ExportFailedError, MissingExtraError, RunError, UsageError
from toolkit.export import calibration, installation, sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.formats import tflite as tflite_format
from toolkit.files import sha256


def snapshot(folder):
    return {path.name: sha256(path) for path in folder.iterdir() if path.suffix != ".log"}


def test_the_plan_has_six_artifacts_by_default():
    assert plan([], []) == [
        ("onnx", "float32"),
        ("onnx", "int8"),
        ("tflite", "float32"),
        ("tflite", "float16"),
        ("tflite", "dynamic"),
        ("tflite", "int8"),
    ]
    assert plan(["onnx", "onnx"], []) == plan(["onnx"], [])


def test_a_quantization_picks_the_formats_that_have_it():
    assert plan([], ["float16"]) == [("tflite", "float16")]
    assert plan(["onnx"], ["int8"]) == [("onnx", "int8")]


def test_c_is_made_where_it_is_asked_for_and_after_the_tflite_that_it_holds():
    assert plan(["c"], []) == [("tflite", "int8"), ("c", "int8")]
    assert plan(["c", "onnx", "tflite"], ["int8"]) == [("onnx", "int8"), ("tflite", "int8"), ("c", "int8")]


@pytest.mark.parametrize(
    ("formats", "quantizations", "message"),
    [
        (["coreml"], [], "unknown format 'coreml'; allowed: c, onnx, tflite"),
        (["c"], ["float16"], "unknown quantization 'float16'; allowed: c: int8"),
        (["onnx"], ["float16"], "unknown quantization 'float16'; allowed: onnx: float32, int8"),
        ([], ["int4"], "unknown quantization 'int4'; allowed: onnx: float32, int8; tflite: "),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(formats, quantizations, message):
    with pytest.raises(UsageError, match=message):
        plan(formats, quantizations)


def operators(path):
    return [node.op_type for node in onnx.load(path).graph.node]


def test_the_float32_onnx_is_lean(exported_once):
    assert operators(exported_once / "cnn-float32.onnx") == [
        "Reshape", "Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool",
        "Reshape", "MatMul", "Add", "Relu", "MatMul", "Add", "Softmax",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["cnn-float32.onnx", "cnn-int8.onnx"])
def test_the_onnx_files_are_clean(exported_once, name):
    model = onnx.load(exported_once / name)
    onnx.checker.check_model(model, full_check=True)
    (given,), (result,) = model.graph.input, model.graph.output
    assert (given.name, result.name) == ("image", "probabilities")
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (given, result)] == ["batch", "batch"]
    constants = {tensor.name for tensor in model.graph.initializer}
    # A DequantizeLinear of stored weights is how QDQ keeps them in 8 bits; every other constant result could be folded.
    foldable = [n.op_type for n in model.graph.node if set(n.input) <= constants and n.op_type != "DequantizeLinear"]
    assert foldable == []
    assert not {"Shape", "Gather", "Slice", "Concat", "Transpose", "Identity"} & set(operators(exported_once / name))
    entry = next(a for a in manifest.read(exported_once).artifacts if a.path == name)
    assert entry.details["opset"] == next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))


def test_the_int8_onnx_is_qdq_per_channel_u8s8(exported_once):
    model = onnx.load(exported_once / "cnn-int8.onnx")
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    quantizers = [n for n in model.graph.node if n.op_type == "QuantizeLinear"]
    assert {types[n.input[2]] for n in quantizers} == {onnx.TensorProto.UINT8}
    weights = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and types.get(n.input[0]) == 3]
    assert [32] in [shapes[n.input[1]] for n in weights]  # a scale for each of the 32 channels of the first convolution


def test_the_tflite_files_are_one_delegated_graph(exported_once):
    from ai_edge_litert.interpreter import Interpreter

    for name in ("cnn-float32.tflite", "cnn-float16.tflite", "cnn-dynamic.tflite", "cnn-int8.tflite"):
        interpreter = Interpreter(str(exported_once / name))
        interpreter.allocate_tensors()
        kinds = [details["op_name"] for details in interpreter._get_ops_details()]
        assert kinds.count("DELEGATE") == 1, name
        assert not {"SHAPE", "PACK", "STRIDED_SLICE", "VAR_HANDLE"} & set(kinds), name


def test_the_quantized_files_are_smaller(exported_once):
    sizes = {a.path: a.size_bytes for a in manifest.read(exported_once).artifacts}
    assert sizes["cnn-float16.tflite"] < 0.7 * sizes["cnn-float32.tflite"]
    assert sizes["cnn-int8.tflite"] < 0.5 * sizes["cnn-float32.tflite"]
    assert sizes["cnn-int8.onnx"] < 0.7 * sizes["cnn-float32.onnx"]


def test_the_golden_holds_what_each_artifact_answered(exported_once):
    record = golden.read(exported_once / "golden.npz")
    assert len(record.images) == 90
    for outputs in record.recorded.values():
        assert outputs.shape == record.reference.shape == (90, 3)
        assert (outputs.argmax(axis=1) == record.reference.argmax(axis=1)).mean() > 0.95


def test_calibration_images_are_training_rows_only(exported_once, tiny):
    rows = np.array(manifest.read(exported_once).calibration.rows)
    assert rows.max() < 192  # of 240, the last 20 % validate
    again = calibration.choose(tiny.train.rows(slice(0, 192)), count=50, seed=0).listed("tiny")
    assert again == manifest.read(exported_once).calibration


@pytest.mark.parametrize("count", [0, 193])
def test_a_calibration_count_that_cannot_be_is_refused(tiny, count):
    with pytest.raises(UsageError, match="allowed: 1 to 192"):
        calibration.choose(tiny.train.rows(slice(0, 192)), count=count, seed=0)


def test_mnist_models_get_a_golden_of_images_that_may_be_passed_on(tiny):
    from dataclasses import replace

    from toolkit.export.exporter import _golden_rows

    rows = _golden_rows(replace(tiny, name="mnist"), warn=pytest.fail)
    sample = data.load("sample", warn=pytest.fail)
    np.testing.assert_array_equal(rows.images, sample.test.images[:500])


@pytest.mark.slow
def test_one_failed_conversion_leaves_the_others_and_the_old_file(exported, trained_folder, tiny, monkeypatch):
    before = snapshot(exported)
    real = tflite_format.convert

    def fail_on_int8(prepared, request, path):
        if request.quantization == "int8":
            path.write_bytes(b"half a file")
            raise RuntimeError("the converter\nsays no")
        return real(prepared, request, path)

    monkeypatch.setattr(tflite_format, "convert", fail_on_int8)
    source = sources.resolve(str(trained_folder))
    result = export(source, tiny, exported, ExportOptions(plan(["tflite"], []), 50), warn=pytest.fail)
    assert result.failures == {"cnn-int8.tflite": "RuntimeError: the converter says no"}
    after = snapshot(exported)
    assert after["cnn-int8.tflite"] == before["cnn-int8.tflite"]
    found = manifest.read(exported)
    found.require(*found.artifacts, found.reference, found.golden)
    assert [path.name for path in exported.iterdir() if ".partial" in path.name] == []


def test_a_second_export_of_the_same_run_keeps_what_it_does_not_make(exported, trained_folder, tiny):
    before = snapshot(exported)
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    found = manifest.read(exported)
    assert len(found.artifacts) == 6
    found.require(*found.artifacts, found.reference, found.golden)
    after = snapshot(exported)
    assert {name for name in before if before[name] != after[name]} <= {
        "manifest.json",
        "golden.npz",
        "cnn-float32.onnx",
    }
    assert set(golden.read(exported / "golden.npz").recorded) == {a.path for a in found.artifacts}


def test_an_export_is_a_source_that_knows_what_its_run_knew(exported, trained_folder, tiny):
    before, original = manifest.read(exported), sources.resolve(str(exported))
    export(original, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    after = manifest.read(exported)
    assert (after.source, after.recipe, after.reference) == (before.source, before.recipe, before.reference)
    assert after.source.run == trained_folder.name
    assert [a.path for a in after.artifacts] == [a.path for a in before.artifacts]
    assert (exported / "loss.png").is_file()
    (exported / "cnn.keras").write_bytes(b"changed")
    with pytest.raises(ArtifactError, match=r"cnn\.keras: changed since it was exported"):
        sources.resolve(str(exported))


def test_an_export_of_an_export_that_is_killed_before_its_manifest_is_there_can_be_made_again(exported, tiny):
    before = (exported / "manifest.json").read_bytes()
    original = sources.resolve(str(exported))
    export(original, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 20), warn=pytest.fail)
    (exported / "manifest.json").write_bytes(before)
    assert sources.resolve(str(exported)).origin == original.origin


def test_an_export_of_another_run_unlists_what_is_not_of_it(exported, tiny, tmp_path):
    from toolkit.models import build

    build("cnn", input_shape=(8, 8, 1), classes=3).save(tmp_path / "cnn.keras")
    source, said = sources.resolve(str(tmp_path / "cnn.keras")), []
    result = export(source, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 20), warn=said.append)
    assert [a.path for a in manifest.read(exported).artifacts] == ["cnn-float32.onnx"]
    assert ["near chance" in text for text in said] == [True]  # it has learned nothing
    assert "cnn-int8.tflite" in [path.name for path in result.unlisted]
    assert (exported / "cnn-int8.tflite").is_file()


def test_an_export_with_another_calibration_unlists_what_had_the_first(exported, trained_folder, tiny):
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["int8"]), 20), warn=pytest.fail)
    found = manifest.read(exported)
    assert found.calibration.n == 20
    assert [a.path for a in found.artifacts] == ["cnn-int8.onnx"]


def test_if_every_conversion_fails_nothing_changes(exported, trained_folder, tiny, monkeypatch):
    before = snapshot(exported)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
    with pytest.raises(ExportFailedError, match=r"cnn-int8\.tflite: RuntimeError: no; nothing was exported"):
        export(
            sources.resolve(str(trained_folder)),
            tiny,
            exported,
            ExportOptions(plan(["tflite"], ["int8"])),
            warn=pytest.fail,
        )
    assert snapshot(exported) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MissingExtraError("tf2onnx", "train")])
def test_a_full_disk_or_a_missing_package_is_no_failed_conversion(exported, trained_folder, tiny, monkeypatch, error):
    before = snapshot(exported)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan([], [])), warn=pytest.fail)
    assert snapshot(exported) == before


def test_what_a_killed_export_left_is_removed(exported, trained_folder, tiny):
    leftover = exported / ".export-killed"
    (leftover / "saved_model").mkdir(parents=True)
    (leftover / "cnn-int8.tflite").write_bytes(b"half")
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    assert not leftover.exists()


def test_small_data_calibrate_with_what_they_have(tiny):
    assert len(calibration.choose(tiny.train.rows(slice(0, 192)), count=None, seed=0).rows) == 192


def test_another_number_of_classes_is_refused(tiny, tmp_path):
    from toolkit.models import build

    build("mlp", input_shape=(8, 8, 1), classes=4).save(tmp_path / "mlp.keras")
    source = sources.resolve(str(tmp_path / "mlp.keras"))
    with pytest.raises(ArtifactError, match="of 4 classes"):
        export(source, tiny, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda keras, image, flat: (image, keras.layers.Dense(1, "sigmoid")(flat)),
            r"takes images \(8, 8, 1\) of 2 classes, 'tiny' has \(8, 8, 1\) of 3; give the data",
        ),
        (lambda keras, image, flat: (image, [keras.layers.Dense(3)(flat)] * 2), "has 2 outputs; allowed: one input"),
        (
            lambda keras, image, flat: ([image, keras.Input((8, 8, 1))], keras.layers.Dense(3)(flat)),
            "has 2 inputs; allow",
        ),
        (
            lambda keras, image, flat: (image, keras.layers.Dense(3)(image)),
            r"with numbers \(8, 8, 3\); allowed.* classes$",
        ),
    ],
)
def test_what_is_no_classifier_of_images_is_told_so(tiny, tmp_path, make, said):
    from toolkit import extras

    keras = extras.load("keras")
    image = keras.Input((8, 8, 1))
    keras.Model(*make(keras, image, keras.layers.Flatten()(image))).save(tmp_path / "other.keras")
    source = sources.resolve(str(tmp_path / "other.keras"))
    with pytest.raises(ArtifactError, match=said):
        export(source, tiny, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail)


def test_a_model_that_answers_with_no_numbers_is_not_exported(tiny, tmp_path):
    from toolkit.models import build

    model = build("mlp", input_shape=(8, 8, 1), classes=3)
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    model.save(tmp_path / "mlp.keras")
    source = sources.resolve(str(tmp_path / "mlp.keras"))
    with pytest.raises(ArtifactError, match=r"mlp\.keras: NaN or infinite outputs for 90 of 90 images"):
        export(source, tiny, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail)


def test_a_full_disk_names_what_could_not_be_written(exported, trained_folder, tiny, monkeypatch):
    full = OSError(28, "No space left on device")
    options = ExportOptions(plan(["tflite"], ["int8"]), 50)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(OSError, match="space") as caught:
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)
    assert caught.value.filename == str(exported / "cnn-int8.tflite")
    from toolkit import extras

    tf, archive = extras.load("tensorflow"), type(extras.load("keras").export.ExportArchive())
    error = tf.errors.ResourceExhaustedError(None, None, "{{node x}} a/b; No space left on device [Op:SaveV2]")
    monkeypatch.setattr(archive, "write_out", lambda *_, **__: (_ for _ in ()).throw(error))
    with pytest.raises(OSError, match=r"TensorFlow could not write its copy: No space left on device"):
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)


def test_a_disk_that_is_full_when_the_rows_are_written_names_them(tiny, tmp_path):
    assert tiny.train.row_digests.nbytes > 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            installation._write_rows(tiny, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path / "learned.npy")


def test_a_disk_that_is_full_when_the_golden_is_written_names_it_where_it_is_to_be(
    exported, trained_folder, tiny, monkeypatch
):
    monkeypatch.setattr(np, "savez_compressed", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
    options = ExportOptions(plan(["tflite"], ["int8"]), 50)
    with pytest.raises(OSError, match="space") as caught:
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)
    assert caught.value.filename == str(exported / "golden.npz")


def test_the_second_of_two_exports_into_one_folder_is_refused_and_disturbs_nothing(exported, trained_folder, tiny):
    before = snapshot(exported)
    with locks.alone(exported, "export", otherwise=""):
        (exported / ".export-alive").mkdir()
        with pytest.raises(BusyError, match=r"'toolkit export' is at work there .*; .* or choose another --output"):
            export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan([], [])), warn=pytest.fail)
        (exported / ".export-alive").rmdir()
    assert snapshot(exported) == before


def test_an_interrupted_export_changes_nothing(exported, trained_folder, tiny, monkeypatch):
    before = snapshot(exported)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan([], []), 20), warn=pytest.fail)
    assert snapshot(exported) == before


def test_other_data_than_the_run_s_are_refused(trained_folder, tmp_path):
    other = make_dataset(tiny_arrays(seed=9), name="other", origin="elsewhere")
    with pytest.raises(RunError, match="was trained on 'tiny' with other digests"):
        export(
            sources.resolve(str(trained_folder)), other, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail
        )
    assert not (tmp_path / "x").exists()


def test_data_of_another_shape_are_refused(tiny, tmp_path):
    from toolkit.models import build

    build("mlp", input_shape=(28, 28, 1), classes=10).save(tmp_path / "mlp.keras")
    with pytest.raises(ArtifactError, match=r"takes images \(28, 28, 1\) of 10 classes, 'tiny' has \(8, 8, 1\)"):
        export(
            sources.resolve(str(tmp_path / "mlp.keras")),
            tiny,
            tmp_path / "x",
            ExportOptions(plan([], [])),
            warn=pytest.fail,
        )


@pytest.mark.slow
def test_a_model_with_optimizer_state_is_exported_without(tiny, tmp_path):
    from toolkit import extras
    from toolkit.models import build
    from toolkit.runtimes.keras import load_model

    model = build("mlp", input_shape=(8, 8, 1), classes=3)
    model.compile("adam", "categorical_crossentropy")
    labels = extras.load("keras").utils.to_categorical(tiny.train.labels, 3)
    model.fit(tiny.train.images / np.float32(255), labels, epochs=1, verbose=0)
    model.save(tmp_path / "mine.keras")
    source = sources.resolve(str(tmp_path / "mine.keras"))
    result = export(source, tiny, tmp_path / "out", ExportOptions(plan(["tflite"], ["float32"]), 20), warn=pytest.fail)
    assert result.failures == {}
    assert (tmp_path / "out" / "mine.keras").stat().st_size < (tmp_path / "mine.keras").stat().st_size / 1.5
    assert not load_model(tmp_path / "out" / "mine.keras").compiled


def test_sources_that_lead_nowhere_are_named(tmp_path, here):
    with pytest.raises(UsageError, match=r"nosuch: no such file, folder or run; allowed: .*; known runs: none"):
        sources.resolve("nosuch")
    Path("notes.md").touch()
    with pytest.raises(UsageError, match=r"notes\.md: neither a run nor an export; allowed: .* or a \.keras file"):
        sources.resolve("notes.md")
    Path("a\x1bb.keras").write_bytes(b"a model")
    with pytest.raises(UsageError, match="rename it, artifacts are named after it"):
        sources.resolve("a\x1bb.keras")
    with pytest.raises(ArtifactError, match=r"none\.keras: no such file"):
        sources.resolve("none.keras")
    with pytest.raises(RunError, match="'toolkit train' makes one"):
        sources.newest_of_each_model()


def test_the_newest_run_of_each_model_is_found(trained_folder, here):
    shutil.copytree(trained_folder, here / "runs" / "first")
    newer = Path(shutil.copytree(trained_folder, here / "runs" / "second"))
    text = (newer / "config.json").read_text()
    start = text.index('"started": "') + len('"started": "')
    (newer / "config.json").write_text(text[:start] + "9" + text[start + 1 :])
    assert [source.keras_path.parent.name for source in sources.newest_of_each_model()] == ["second"]
