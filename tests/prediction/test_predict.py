import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import SHIPPED, verification
from tests.elsewhere import elsewhere
from tests.export.made_up import SIDE, dataset_of
from tests.parity.test_against import by_brightness, linear
from toolkit import images, manifest
from toolkit.convention import Convention, Output, parse
from toolkit.errors import ArtifactError, UsageError
from toolkit.novelty import Judge
from toolkit.prediction import Prediction, Refused, default_model, predict
from toolkit.prediction.answers import classify, combine_looks
from toolkit.prediction.views import View
from toolkit.reading import Reading
from toolkit.runtimes.base import Predictor
from toolkit.worker.session import Workers


@pytest.fixture
def photos(tmp_path, tiny):
    """Tiny test images as files of another size."""
    paths = []
    for row in range(6):
        pixels = np.kron(tiny.test.images[row, ..., 0], np.ones((5, 5), np.uint8))
        paths.append(tmp_path / f"{row}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.mark.parametrize("name", ["cnn-int8.tflite", "cnn-float32.onnx"])
def test_photos_of_another_size_are_classified(exported_once, photos, tiny, name):
    predictions = predict(photos, exported_once / name, warn=pytest.fail)
    assert [p.classes[0] for p in predictions] == [tiny.class_names[label] for label in tiny.test.labels[:6]]
    assert all(p.probabilities[0] > p.probabilities[1] for p in predictions)
    assert [p.image for p in predictions] == [str(path) for path in photos]


class Brightness(Predictor):
    """Answers with how bright an image is."""

    path = Path("brightness")

    def predict(self, rows):
        bright = rows.mean(axis=(1, 2, 3)) / 255
        return np.stack([bright, 1 - bright], axis=1).astype(np.float32)


def test_that_digits_are_looked_for_is_said_if_nobody_says_what_a_model_is_for(tmp_path):
    foreign, said = tmp_path / "foreign.onnx", []
    shutil.copyfile(SHIPPED / "mlp-float32.onnx", foreign)
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "a.png")
    predict([tmp_path / "a.png"], foreign, given=parse("0..1"), warn=said.append)
    assert said == [
        f"{foreign}: nothing says what it has learned from; its input is that of MNIST, so digits are looked for"
    ]


def test_the_answer_for_a_view_is_the_mean_of_those_for_its_looks():
    session = Brightness()
    session.convention = Convention(output=Output.PROBABILITIES)
    black, dark, light, white = (np.full((4, 4, 1), shade, np.uint8) for shade in (0, 51, 204, 255))
    views = [View(np.stack(looks)) for looks in ([black], [dark, light, white], [white])]
    names, answered = classify(session, None, np.concatenate([view.looks for view in views]), ["bright", "dark"])
    rows, judgements = combine_looks(views, answered, Judge(None))
    assert names == ["bright", "dark"]
    assert judgements == [None] * 3
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0, 1], [2 / 3, 1 / 3], [1, 0]]))


def test_a_model_that_answers_with_no_numbers_predicts_nothing(exported_once, photos, monkeypatch):
    nothing = np.full((len(photos), 3), np.nan, np.float32)
    monkeypatch.setattr("toolkit.worker.session.ContainedSession.predict", lambda self, images: nothing)
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite: NaN or infinite outputs in 6 of 6 answers"):
        predict(photos, exported_once / "cnn-int8.tflite", warn=pytest.fail)


def test_the_default_is_the_most_accurate_verified_artifact(exported):
    found = manifest.read(exported)
    found.with_verified(
        {
            "cnn-int8.tflite": verification("fail", 0.999),
            "cnn-dynamic.tflite": verification("pass", 0.98),
            "cnn-float32.onnx": verification("pass", 0.97),
        }
    ).write()
    assert default_model(exported.parent, warn=pytest.fail) == exported / "cnn-dynamic.tflite"


def test_an_artifact_that_answers_otherwise_here_is_not_the_default(exported):
    verified = {name: verification("pass", 0.98) for name in ("cnn-int8.tflite", "cnn-float32.onnx")}
    manifest.read(exported).with_verified(verified).write()
    elsewhere(exported, "cnn-int8.tflite")
    said = []
    assert default_model(exported.parent, warn=said.append) == exported / "cnn-float32.onnx"
    assert said == [
        f"{exported / 'cnn-int8.tflite'} is left out, it answers differently here than its golden says: "
        "90 of 90 predictions are not those of the machine that exported it"
    ]


def test_an_artifact_that_ends_its_process_is_not_the_default_and_ends_nothing_else(exported, monkeypatch):
    """The most accurate one brings down whoever runs it."""
    manifest.read(exported).with_verified({"cnn-int8.tflite": verification("pass", 0.98)}).write()
    real = Workers.open_session

    def opened(self, path, **options):
        session = real(self, path, **options)
        if path.name == "cnn-int8.tflite":
            os.kill(session._process.pid, signal.SIGSEGV)
        return session

    monkeypatch.setattr(Workers, "open_session", opened)
    said = []
    assert default_model(exported.parent, warn=said.append).name == "cnn-dynamic.tflite"
    assert "litert was ended by SIGSEGV" in said[0]


def test_no_artifact_says_what_to_do(tmp_path):
    with pytest.raises(ArtifactError, match="name one by --model"):
        default_model(tmp_path, warn=pytest.fail)


def test_where_all_answer_otherwise_there_is_no_default(exported):
    elsewhere(exported, *(artifact.path for artifact in manifest.read(exported).artifacts))
    said = []
    with pytest.raises(ArtifactError, match=r"all artifacts there answer differently here .*; name one by --model"):
        default_model(exported.parent, warn=said.append)
    assert len(said) == 6


def test_a_changed_artifact_is_not_used(exported, photos):
    path = exported / "cnn-float32.onnx"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        predict(photos, path, warn=pytest.fail)


def test_a_missing_image_is_named(exported_once, tmp_path):
    (refused,) = predict([tmp_path / "none.png"], exported_once / "cnn-int8.tflite", warn=pytest.fail)
    assert refused == Refused(str(tmp_path / "none.png"), f"{tmp_path / 'none.png'}: no such file")


def test_an_image_that_is_none_costs_the_others_nothing(exported_once, photos, tmp_path):
    (tmp_path / "blank.png").touch()
    found = predict([photos[0], tmp_path / "blank.png", photos[1]], exported_once / "cnn-int8.tflite", warn=pytest.fail)
    whole = predict(photos[:2], exported_once / "cnn-int8.tflite", warn=pytest.fail)
    assert [found[0], found[2]] == whole
    assert "blank.png: an empty file" in found[1].error


@pytest.mark.mnist
def test_photos_of_digits_are_brought_to_mnist_s_form(real_mnist, tmp_path):
    """MNIST test digits as 100×100 black-on-white bitmaps, off the centre: nearly as accurate as the originals."""
    from pathlib import Path

    rng = np.random.default_rng(0)
    paths = []
    for row in range(300):
        digit = Image.fromarray(real_mnist.test.images[row, ..., 0]).resize((80, 80), Image.Resampling.BICUBIC)
        page = np.zeros((100, 100), np.uint8)
        top, left = rng.integers(0, 20, 2)
        page[top : top + 80, left : left + 80] = np.asarray(digit)
        paths.append(tmp_path / f"{row}.png")
        Image.fromarray(255 - (page > 127).astype(np.uint8) * 255).convert("1").save(paths[-1])
    shipped = Path(__file__).parents[2] / "exported" / "cnn" / "cnn-int8.tflite"
    predictions = predict(paths, shipped, warn=pytest.fail)
    right = [
        isinstance(p, Prediction) and int(p.classes[0]) == label
        for p, label in zip(predictions, real_mnist.test.labels[:300], strict=True)
    ]
    assert np.mean(right) >= 0.97


@pytest.mark.parametrize(("recorded", "how"), [(Reading(), "fit"), (Reading(resize="crop"), "crop")])
def test_photos_are_resized_as_those_that_the_model_learned_from(exported, photos, monkeypatch, recorded, how):
    found = manifest.read(exported)
    replace(found, data=replace(found.data, reading=recorded)).write()
    asked, real = [], images.resize

    def resize(pixels, **options):
        asked.append(options["how"])
        return real(pixels, **options)

    monkeypatch.setattr(images, "resize", resize)
    predict(photos[:1], exported / "cnn-float32.tflite", warn=pytest.fail)
    assert asked == [how]


@pytest.fixture
def bright_photos(tmp_path):
    """Images of three classes, as files, with the model that tells them apart and has no manifest."""
    bright = dataset_of()
    (tmp_path / "bright").mkdir()
    paths = [tmp_path / "bright" / f"{row}.png" for row in range(3)]
    for path, pixels in zip(paths, bright.test.images, strict=False):
        Image.fromarray(pixels).save(path)
    return paths


@pytest.mark.training
def test_a_file_names_the_classes_of_a_model_without_a_manifest(tmp_path, bright_photos, exported_once, photos):
    path = by_brightness(tmp_path / "bright.onnx")
    shown = predict(bright_photos, path, given=parse("0..1"), labels=("dark", "dim", "light"), warn=pytest.fail)
    assert [one.classes[0] for one in shown] == ["dark", "dim", "light"]
    with pytest.raises(ArtifactError, match=r"bright\.onnx: tells 3 classes apart, 2 are named"):
        predict(bright_photos, path, given=parse("0..1"), labels=("dark", "light"), warn=pytest.fail)
    with pytest.raises(UsageError, match=r"cnn-int8\.onnx: its manifest names its classes; leave out --labels"):
        predict(photos, exported_once / "cnn-int8.onnx", labels=("a", "b", "c"), warn=pytest.fail)


@pytest.mark.training
def test_few_logits_that_look_like_probabilities_are_told_by_other_images(tmp_path, bright_photos):
    """All outputs of the photo are from 0 to 1; those of lighter images are not."""
    size = SIDE * SIDE * 3
    path = linear(
        tmp_path / "logits.onnx", weights=np.outer(np.ones(size), (1, 0, 2)) / size, bias=(0, 0.5, 0), softmax=False
    )
    (shown,) = predict(bright_photos[:1], path, given=parse("0..1"), warn=pytest.fail)
    mean = images.read(bright_photos[0], channels=3).mean() / 255
    powers = np.exp([mean, 0.5, 2 * mean])
    assert 0 < 2 * mean < 1
    assert shown.probabilities[0] == pytest.approx(powers.max() / powers.sum(), abs=1e-5)


@pytest.mark.slow
@pytest.mark.training
def test_the_model_of_a_run_takes_what_its_run_fed_it(trained_folder, photos, tiny):
    shown = predict(photos, trained_folder / "best.keras", warn=pytest.fail)
    assert [int(one.classes[0]) for one in shown] == tiny.test.labels[:6].tolist()
