"""The score for none of the classes is learned from training images, and its threshold set by others."""

import shutil

import numpy as np
import pytest

from tests.conftest import CLASSES, tiny_arrays
from toolkit import manifest, novelty
from toolkit.convention import Convention, Output
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.export import novelty as measuring
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.sources import resolve
from toolkit.prediction import predict
from toolkit.runtimes.base import Predictor


class Knowing(Predictor):
    """Answers with the corner that is bright, in logits."""

    def predict(self, images):
        corners = [images[:, 4 * top : 4 * top + 4, 4 * left : 4 * left + 4] for top, left in ((0, 0), (0, 1), (1, 0))]
        return np.stack([corner.mean(axis=(1, 2, 3)) for corner in corners], axis=1).astype(np.float32)


def parts(rows: int, *, share: float):
    return divide(make_dataset(tiny_arrays(train=rows), name="tiny", origin="tests"), share=share, seed=0)


def write(given, folder):
    return measuring.write(Knowing(), Convention(output=Output.LOGITS), given, folder)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "part", "n"), [(0.2, "validation", 120), (0.0, "training", 120)])
def test_the_threshold_is_set_by_images_that_nothing_was_learned_from(tmp_path, share, part, n):
    entry = write(parts(600, share=share), tmp_path)
    assert (entry.part, entry.n, entry.false_alarms) == (part, n, 0.01)
    found = novelty.read(tmp_path / entry.path)
    assert found.means.shape == (CLASSES, 200)


@pytest.mark.slow
def test_the_validation_images_are_never_learned_from(tmp_path):
    given = parts(600, share=0.2)
    changed = given.dataset.train.images.copy()
    changed[given.validation_rows] = 0
    black = make_dataset((changed, given.dataset.train.labels, *tiny_arrays()[2:]), name="tiny", origin="tests")
    write(given, tmp_path)
    expected = novelty.read(tmp_path / "novelty.npz")
    write(divide(black, share=0.2, seed=0), tmp_path)
    np.testing.assert_array_equal(novelty.read(tmp_path / "novelty.npz").means, expected.means)


def test_too_few_images_set_no_threshold(tmp_path):
    assert write(parts(240, share=0.2), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_images_without_edges_have_no_score(tmp_path):
    line = make_dataset(tiny_arrays(train=600), name="tiny", origin="tests")
    thin = (line.train.images[:, :1, :, 0], line.train.labels, line.test.images[:, :1, :, 0], line.test.labels)
    assert write(divide(make_dataset(thin, name="line", origin="tests"), share=0.2, seed=0), tmp_path) is None


@pytest.mark.slow
def test_at_most_so_many_images_set_the_novelty_threshold(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "MOST_ROWS", 100)
    assert write(parts(600, share=0.2), tmp_path).n == 100


@pytest.mark.slow
def test_an_export_measures_it_and_predict_says_it(tmp_path, trained_folder):
    from PIL import Image

    shutil.copyfile(trained_folder / "best.keras", tmp_path / "own.keras")
    data = make_dataset(tiny_arrays(train=600), name="tiny", origin="tests")
    options = ExportOptions([("tflite", "float32")], calibration_count=50)
    done = export(resolve(str(tmp_path / "own.keras")), data, tmp_path / "out", options, warn=pytest.fail)
    found = manifest.read(tmp_path / "out")
    assert found == done.manifest
    assert (found.novelty.part, found.novelty.n) == ("training", 120)
    for name, pixels in (("known", data.test.images[0, ..., 0]), ("other", 255 - data.test.images[0, ..., 0])):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    files = [tmp_path / "known.png", tmp_path / "other.png"]
    said = predict(files, tmp_path / "out" / "own-float32.tflite", warn=pytest.fail)
    assert [one.novelty.none_of_these for one in said] == [False, True]
