"""What a model is to see of an image: in which size, and whether digits are looked for in it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toolkit.convention import Convention, Layout
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.prediction.views import Form, form_of, prepare
from toolkit.runtimes.base import Predictor


class Described(Predictor):
    """Takes images of a size, or of any, and is only looked at."""

    def __init__(self, path, shape=(None, None, None, 3), layout=Layout.NHWC, *, classes=10):
        self.path, self.convention = path, Convention(layout=layout)
        self.inputs = (TensorSpec("pixels", shape, "float32"),)
        self.outputs = (TensorSpec("scores", (shape[0], classes), "float32"),)

    def predict(self, rows):
        pytest.fail(f"asked about {rows.shape}")


def test_a_model_of_any_size_takes_the_size_of_its_run(tmp_path):
    data = {"name": "fruit", "origin": "fruit", "digests": {}, "reading": {"image_size": [48, 64], "resize": "crop"}}
    config = {"recipe": {}, "data": data, "started": "2026-11-27"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert form_of(Described(tmp_path / "best.keras"), None, warn=pytest.fail) == Form(
        48, 64, 3, digits=False, how="crop"
    )


@pytest.mark.parametrize(
    ("session", "says"),
    [
        (Described(Path("own.keras")), "'toolkit export' makes files that take one, as --input-shape or the data say"),
        (Described(Path("a.onnx")), "--input_name pixels --input_shape 1,HEIGHT,WIDTH,3 a.onnx fixed.onnx' gives it"),
        (Described(Path("a.onnx"), (1, 1, None, None), Layout.NCHW), "--input_shape 1,1,HEIGHT,WIDTH a.onnx"),
    ],
)
def test_a_model_of_any_size_is_refused_with_what_gives_it_one(session, says):
    with pytest.raises(ArtifactError, match=f": takes images of any size; .*{says}"):
        form_of(session, None, warn=pytest.fail)


@pytest.mark.parametrize(
    ("shape", "layout", "classes", "digits"),
    [
        ((None, 28, 28, 1), Layout.NHWC, 10, True),
        ((1, 1, 28, 28), Layout.NCHW, 10, True),
        ((None, 28, 28, 1), Layout.NHWC, 26, False),
        ((None, 8, 8, 1), Layout.NHWC, 10, False),
        ((None, 96, 96, 1), Layout.NHWC, 2, False),
        ((None, 28, 28, 3), Layout.NHWC, 10, False),
    ],
)
def test_digits_are_looked_for_if_nobody_says_what_a_model_is_for_only_where_it_is_like_one_of_mnist(
    shape, layout, classes, digits
):
    said = []
    described = Described(Path("foreign.onnx"), shape, layout, classes=classes)
    assert form_of(described, None, warn=said.append).digits is digits
    assert len(said) == digits


def test_digits_are_not_looked_for_by_a_model_that_answers_with_one_number():
    described = Described(Path("foreign.onnx"), (None, 28, 28, 1))
    described.outputs = (TensorSpec("score", (), "float32"),)
    assert not form_of(described, None, warn=pytest.fail).digits


def test_a_digit_of_a_photo_is_looked_at_three_times_and_one_in_mnist_s_form_once(tmp_path):
    photo, form = np.full((90, 90), 255, np.uint8), Form(28, 28, 1, digits=True, how="fit")
    photo[20:70, 40:48] = 0
    Image.fromarray(photo).save(tmp_path / "photo.png")
    (view,) = prepare(tmp_path / "photo.png", form).views
    assert view.looks.shape == (3, 28, 28, 1)
    Image.fromarray(view.pixels[..., 0]).save(tmp_path / "form.png")
    (view,) = prepare(tmp_path / "form.png", form).views
    assert view.looks.shape == (1, 28, 28, 1)
