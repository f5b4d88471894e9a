"""Exports of the tiny CNN: what the artifacts are, what is refused, and what failures leave behind."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data, extras, locks, manifest
from toolkit.data.base import Split, make_dataset
from toolkit.errors import ArtifactError, BusyError, ExportFailedError, RunError
from toolkit.export import exporter, sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.formats import tflite as tflite_format
from toolkit.files import sha256


def snapshot(folder):
    return {path.name: sha256(path) for path in folder.iterdir() if path.suffix != ".log"}


def test_mnist_models_get_a_golden_of_images_that_may_be_passed_on(tiny):
    rows = exporter._golden_rows(replace(tiny, name="mnist"), warn=pytest.fail)
    sample = data.load("sample", warn=pytest.fail)
    np.testing.assert_array_equal(rows.images, sample.test.images[:500])


def test_a_golden_of_large_images_has_fewer_that_hold_every_class(tiny, monkeypatch):
    monkeypatch.setattr(exporter, "GOLDEN_BYTES", 20 * 64 + 63)
    assert len(exporter._golden_rows(tiny, warn=pytest.fail)) == 20
    np.testing.assert_array_equal(exporter._golden_rows(tiny, warn=pytest.fail).images, tiny.test.images[:20])
    order = np.argsort(tiny.test.labels, kind="stable")
    by_class = replace(tiny, test=Split(tiny.test.images[order], tiny.test.labels[order]))
    rows = exporter._golden_rows(by_class, warn=pytest.fail)
    assert (len(rows), set(rows.labels.tolist())) == (20, {0, 1, 2})


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
    assert result.failures == {
        "cnn-int8.tflite": "the converter to tflite gave up, export.log says why; leave this tflite out by --format or "
        "--quantize"
    }
    assert "RuntimeError: the converter\nsays no" in result.log.read_text("utf-8")
    after = snapshot(exported)
    assert after["cnn-int8.tflite"] == before["cnn-int8.tflite"]
    found = manifest.read(exported)
    found.require(*found.artifacts, found.reference, found.golden)
    assert [path.name for path in exported.iterdir() if ".partial" in path.name] == []


@pytest.mark.slow
def test_if_every_conversion_fails_nothing_changes(exported, trained_folder, tiny, monkeypatch):
    before = snapshot(exported)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
    with pytest.raises(
        ExportFailedError, match=r"cnn-int8\.tflite: the converter to tflite gave up, .*; nothing was exported"
    ):
        export(
            sources.resolve(str(trained_folder)),
            tiny,
            exported,
            ExportOptions(plan(["tflite"], ["int8"])),
            warn=pytest.fail,
        )
    assert snapshot(exported) == before


@pytest.mark.slow
def test_what_a_killed_export_left_is_removed(exported, trained_folder, tiny):
    leftover = exported / ".export-killed"
    (leftover / "saved_model").mkdir(parents=True)
    (leftover / "cnn-int8.tflite").write_bytes(b"half")
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    assert not leftover.exists()


@pytest.mark.slow
def test_another_number_of_classes_is_refused(tiny, tmp_path):
    from toolkit.models import build

    build("mlp", input_shape=(8, 8, 1), classes=4).save(tmp_path / "mlp.keras")
    source = sources.resolve(str(tmp_path / "mlp.keras"))
    with pytest.raises(ArtifactError, match="of 4 classes"):
        export(source, tiny, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail)


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_model_that_answers_with_no_numbers_is_not_exported(tiny, tmp_path):
    from toolkit.models import build

    model = build("mlp", input_shape=(8, 8, 1), classes=3)
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    model.save(tmp_path / "mlp.keras")
    source = sources.resolve(str(tmp_path / "mlp.keras"))
    with pytest.raises(ArtifactError, match=r"mlp\.keras: NaN or infinite outputs in 90 of 90 answers"):
        export(source, tiny, tmp_path / "x", ExportOptions(plan([], [])), warn=pytest.fail)


def test_the_second_of_two_exports_into_one_folder_is_refused_and_disturbs_nothing(exported, trained_folder, tiny):
    before = snapshot(exported)
    with locks.alone(exported, "export", otherwise=""):
        (exported / ".export-alive").mkdir()
        with pytest.raises(BusyError, match=r"'toolkit export' is at work there .*; .* or choose another --output"):
            export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan([], [])), warn=pytest.fail)
        (exported / ".export-alive").rmdir()
    assert snapshot(exported) == before


@pytest.mark.slow
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


@pytest.mark.slow
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
    from toolkit.models import build
    from toolkit.runtimes.keras.loading import load_model

    extras.load("keras").utils.set_random_seed(0)
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
