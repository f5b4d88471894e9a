"""Each cause is planted into a linear model, found on one half of the images and confirmed on the other."""

import json

import numpy as np
import pytest

from tests.export.made_up import dataset_of
from tests.parity.test_against import by_brightness, linear
from toolkit.cli import call
from toolkit.convention import parse
from toolkit.data.base import make_dataset
from toolkit.errors import ArtifactError
from toolkit.parity.causes import diagnose

SIDE, CLASSES = 8, 4


@pytest.fixture(scope="module")
def corners():
    """Colour images that are brighter in one corner and one channel, each class in another."""
    rng = np.random.default_rng(0)
    parts = []
    for count in (400, 600):
        labels = np.arange(count) % CLASSES
        images = rng.integers(0, 60, (count, SIDE, SIDE, 3))
        for row, label in enumerate(labels):
            down, right, channel = PLACES[label]
            images[row, down : down + 4, right : right + 4, channel] += 150
        parts += [images.astype(np.uint8), labels]
    return make_dataset(tuple(parts), name="corners", origin="tests")


# Of each class: row, column and channel of what is bright.
PLACES = ((0, 0, 0), (0, 4, 1), (4, 0, 2), (4, 4, 0))


def model(path, *, view=lambda weights: weights, order=range(CLASSES), inverted=False, **kind):
    """Save a linear model that is right about the corners, if its input is taken as it was made."""
    weights = np.full((CLASSES, SIDE, SIDE, 3), -0.2)
    for label, (down, right, channel) in enumerate(PLACES):
        weights[label, down : down + 4, right : right + 4, channel] = 1.0
    weights = view(weights)[list(order)]
    sign = -1 if inverted else 1
    flat = sign * weights.reshape(CLASSES, -1).T * 20
    bias = 20 * weights.sum(axis=(1, 2, 3)) * inverted
    return linear(path, weights=flat, bias=bias, **kind)


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("channel order", {"view": lambda weights: weights[..., ::-1]}),
        ("orientation", {"view": lambda weights: weights.swapaxes(1, 2)}),
        ("polarity", {"inverted": True}),
        ("labels", {"order": (2, 0, 3, 1)}),
    ],
)
def test_a_planted_cause_is_named(tmp_path, corners, name, planted):
    reference, candidate = model(tmp_path / "reference.onnx"), model(tmp_path / "candidate.onnx", **planted)
    found = diagnose(candidate, reference, lambda shape: corners, given=parse("0..1"), warn=lambda text: None)
    assert [cause.name for cause in found.causes] == [name]
    assert (found.causes[0].before, found.causes[0].after) == (found.agreement, 1.0)
    assert found.explained
    assert found.n == 300


def test_two_causes_are_found_on_top_of_each_other(tmp_path):
    reference = by_brightness(tmp_path / "reference.onnx")
    candidate = by_brightness(tmp_path / "candidate.onnx", high=255.0, classes=(2, 0, 1))
    found = diagnose(candidate, reference, lambda shape: dataset_of(), warn=lambda text: None)
    assert [cause.name for cause in found.causes] == ["labels", "input range"]
    assert found.causes[-1].text == "it takes pixels as 0..255"
    assert found.causes[-1].after == 1.0


@pytest.mark.slow
def test_a_missing_softmax_and_other_weights_are_told_apart(tmp_path, corners):
    reference = model(tmp_path / "reference.onnx")
    logits = model(tmp_path / "logits.onnx", softmax=False)
    found = diagnose(logits, reference, lambda shape: corners, given=parse("0..1"), warn=lambda text: None)
    assert (found.softmax, found.causes, found.explained) == (True, (), True)
    rng = np.random.default_rng(1)
    other = linear(tmp_path / "other.onnx", weights=rng.normal(size=(SIDE * SIDE * 3, CLASSES)), bias=np.zeros(CLASSES))
    assert not diagnose(other, reference, lambda shape: corners, given=parse("0..1"), warn=lambda text: None).explained
    fewer = linear(tmp_path / "fewer.onnx", weights=np.ones((SIDE * SIDE * 3, 3)), bias=np.zeros(3))
    with pytest.raises(ArtifactError, match=r"its outputs are \(600, 3\), the reference's \(600, 4\)"):
        diagnose(fewer, reference, lambda shape: corners, warn=lambda text: None)


def test_integers_that_are_taken_for_values_are_named(tmp_path):
    reference = by_brightness(tmp_path / "reference.onnx")
    of_bytes = by_brightness(tmp_path / "bytes.onnx", low=-128.0, high=127.0)
    found = diagnose(of_bytes, reference, lambda shape: dataset_of(), warn=lambda text: None)
    assert [(cause.name, cause.text, cause.after) for cause in found.causes] == [
        ("missing dequantization", "it takes pixels as integers from -128 to 127", 1.0)
    ]


def test_whole_numbers_as_answers_lack_a_dequantization_and_no_softmax(tmp_path, corners):
    reference = model(tmp_path / "reference.onnx")
    whole = model(tmp_path / "whole.onnx", softmax=False, whole=True)
    found = diagnose(whole, reference, lambda shape: corners, given=parse("0..1"), warn=lambda text: None)
    assert (found.dequantization, found.softmax, found.causes) == (True, False, ())
    assert found.to_json()["dequantization"]


@pytest.mark.slow
def test_diagnose_says_why_answers_differ(tmp_path, corners, capfd):
    parts = (corners.train.images, corners.train.labels, corners.test.images, corners.test.labels)
    np.savez(tmp_path / "data.npz", **dict(zip(("x_train", "y_train", "x_test", "y_test"), parts, strict=True)))
    reference = model(tmp_path / "reference.onnx")
    candidate = model(tmp_path / "candidate.onnx", order=(1, 0, 3, 2))
    asked = ["diagnose", str(candidate), "--against", str(reference), "--data", str(tmp_path / "data.npz")]
    assert call(asked) == 0
    out = capfd.readouterr().out
    assert "answers 0.00 % of 300 images as" in out
    assert "cause: labels: its classes are in the order 1, 0, 3, 2 (0.00 % → 100.00 % of the answers" in out
    other = linear(tmp_path / "candidate.onnx", weights=np.eye(SIDE * SIDE * 3, CLASSES), bias=np.zeros(CLASSES))
    assert call(asked) == 1
    assert "none of the usual causes explains the rest" in capfd.readouterr().out
    model(other, softmax=False)
    assert call(asked) == 0
    out = capfd.readouterr().out
    assert "one of the two answers with logits, the other with probabilities" in out
    assert "they agree; what differs is precision" in out
    model(other, softmax=False, whole=True)
    assert call(asked) == 0
    assert "answers with whole numbers, as a quantized output without its scale" in capfd.readouterr().out
    model(candidate, order=(1, 0, 3, 2))
    assert call([*asked, "--keys", "x_train=x_test,y_train=y_test", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["causes"][0]["name"] == "labels"
