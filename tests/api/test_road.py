"""The road from Python: train, export, bench, predict."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import CLASSES, SIDE
from toolkit import api, extras
from toolkit.convention import image_shape
from toolkit.errors import ArtifactError, RunError, UsageError
from toolkit.training.checkpoint import Epoch
from toolkit.training.fit import Started
from toolkit.worker import keras as worker_keras


def test_a_session_gives_a_probability_for_each_class(exported_once):
    images = np.zeros((2, SIDE, SIDE, 1), np.uint8)
    outputs = api.open_session(str(exported_once / "cnn-int8.tflite")).predict(images)
    assert (outputs.shape, outputs.dtype) == ((2, CLASSES), np.dtype(np.float32))


@pytest.fixture
def tiny_run(here, trained_folder):
    """The name of a run that stands in runs/."""
    shutil.copytree(trained_folder, here / "runs" / "tiny")
    return "tiny"


@pytest.mark.slow
def test_export_gives_the_path_of_its_folder(tiny_run, tiny_npz):
    steps = []
    exported = api.export(tiny_run, format="onnx", quantize=["float32"], data=tiny_npz, on_step=steps.append)
    assert Path(exported) == Path("exported/cnn")
    assert [artifact.path for artifact in exported.made] == ["cnn-float32.onnx"]
    assert exported.failures == {}
    assert exported.to_json()["manifest"] == "exported/cnn/manifest.json"
    assert [(step.done, step.total) for step in steps] == [(0, 1), (1, 1)]
    assert steps[-1].text == "cnn-float32.onnx"


def test_export_says_what_is_wrong(here, tiny_run, tiny_npz):
    with pytest.raises(UsageError, match="unknown quantization 'int4'"):
        api.export(tiny_run, quantize="int4", data=tiny_npz)
    with pytest.raises(UsageError, match="nosuch: no such file, folder or run"):
        api.export("nosuch")
    assert not (here / "exported").exists()


def test_train_says_what_is_wrong(here):
    with pytest.raises(UsageError, match="unknown model 'vgg'"):
        api.train("vgg")
    with pytest.raises(UsageError, match="cannot name a run"):
        api.train(name="../x")
    with pytest.raises(RunError, match="no run has a finished epoch"):
        api.train(resume=True)


@pytest.mark.slow
def test_bench_measures_and_recommends(exported_once, here, brief):
    steps = []
    record = api.bench(
        exported_once / "cnn-int8.tflite",
        exported_once / "cnn-float32.tflite",
        threads=[1, 2],
        on_step=steps.append,
    )
    assert [result.threads for result in record.results] == [1, 2, 1, 2]
    assert record.recommended == record.to_json()["recommended"]
    assert record.recommended["artifact"] in [str(result.path) for result in record.results]
    assert record.folder.parent == api.BENCHMARKS
    assert all(0 <= step.done <= step.total for step in steps)


def test_predict_classifies_files(exported_once, here, tiny):
    from PIL import Image

    Image.fromarray(tiny.test.images[0, ..., 0]).save("one.png")
    (here / "two.png").write_bytes(b"no image")
    first, second = api.predict(["one.png", Path("two.png")], exported_once / "cnn-int8.tflite")
    assert first.to_json()["class"] == first.classes[0]
    assert "two.png" in second.to_json()["error"]


def test_predict_needs_an_artifact(here):
    with pytest.raises(ArtifactError, match="no artifact there"):
        api.predict(["one.png"])


@pytest.mark.slow
def test_a_run_is_trained_and_gone_on_with(here, tiny_npz):
    steps = []
    run = api.train("mlp", data=tiny_npz, name="a", epochs=1, batch_size=16, on_step=steps.append)
    assert Path(run) == Path("runs/a")
    assert [type(step.about) for step in steps] == [Started, Epoch]
    assert [(step.done, step.total) for step in steps] == [(0, 1), (1, 1)]
    with pytest.raises(UsageError, match="started with another seed; only --epochs may change"):
        api.train(name="a", resume=True, seed=7)
    assert len(api.train(resume=True, epochs=2).progress.history) == 2
    assert [artifact.path for artifact in api.export(run, quantize="int8", format="tflite").made] == ["mlp-int8.tflite"]


@pytest.mark.slow
def test_the_size_of_photos_is_asked_of_a_model_once(here, tiny, trusted, monkeypatch):
    """A run that goes on reads them as its record says."""
    from PIL import Image

    for number, (image, label) in enumerate(zip(tiny.train.images[:60], tiny.train.labels[:60], strict=True)):
        folder = here / "photos" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).resize((10, 12)).save(folder / f"{number}.png")
    keras, asked = extras.load("keras"), []
    layers = [keras.Input((SIDE, SIDE, 1)), keras.layers.Flatten(), keras.layers.Dense(CLASSES, activation="softmax")]
    keras.Sequential(layers).save("own.keras")
    monkeypatch.setattr(worker_keras, "image_shape", lambda shape: asked.append(shape) or image_shape(shape))
    api.train("own.keras", data="photos", name="a", epochs=1, batch_size=16)
    assert len(api.train("own.keras", name="a", resume=True, epochs=2).progress.history) == 2
    assert asked == [(None, SIDE, SIDE, 1)]
