"""Digits that the shipped model has not learned from, in every scene of docs/predict.md."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.digits import others, scenes, sources
from tests.digits.__main__ import MODEL, PAGE
from tests.digits.measure import Outcome, called_none, draw, outcome, render, render_others
from toolkit.cli import call
from toolkit.errors import UsageError
from toolkit.prediction import Prediction, Refused, predict

QUICK = tuple(scene for scene in scenes.SCENES if not scene.slow)


def read(digits, which, folder: Path) -> Outcome:
    """Have every digit classified in every scene, by one process."""
    paths = [draw(scene, ink, row, folder) for scene in which for row, (_, ink) in enumerate(digits)]
    return outcome(predict(paths, MODEL, warn=pytest.fail), [label for _ in which for label, _ in digits])


@pytest.mark.slow
def test_drawn_digits_are_read_in_every_scene(tmp_path):
    digits = list(sources.drawn(np.random.default_rng(7), 10))[::4]
    found = read(digits, scenes.SCENES, tmp_path)
    assert found.n == 3 * len(scenes.SCENES)
    assert found.right >= found.n - 2
    assert found.surely_wrong == 0


@pytest.mark.slow
@pytest.mark.mnist
def test_mnist_is_read_in_every_scene(real_mnist, tmp_path):
    rows = np.random.default_rng(11).permutation(10_000)[:4]
    digits = list(sources.mnist(real_mnist.test.images[rows], real_mnist.test.labels[rows]))
    found = read(digits, QUICK, tmp_path)
    assert found.right >= 0.95 * found.n


@pytest.mark.slow
def test_printed_digits_are_read(tmp_path):
    font = sources.FONTS / "dejavu" / "DejaVuSans.ttf"
    if not font.is_file():
        pytest.skip("Debian's font DejaVu Sans is not on this machine (apt-get install fonts-dejavu-core)")
    found = read(list(sources.printed([font])), (scenes.SCENES[0],), tmp_path)
    assert found.right == 10


@pytest.fixture
def two(tmp_path) -> Path:
    """A page with a 4 and, right of it, a 2."""
    ink = dict(sources.drawn(np.random.default_rng(1), 10))
    page = np.zeros((300, 500))
    for left, label in ((40, 4), (280, 2)):
        digit = ink[label][:240, :200]
        page[30 : 30 + digit.shape[0], left : left + digit.shape[1]] = digit
    scenes.image(scenes.paint(235.0, page)).save(tmp_path / "two.png")
    return tmp_path / "two.png"


def test_several_digits_are_counted_and_not_answered_with_one(two):
    (refused,) = predict([two], MODEL, warn=pytest.fail)
    assert refused == Refused(str(two), f"{two}: 2 digits in one image; --all reads each of them")


def test_several_digits_are_read_in_reading_order(two, capsys):
    assert call(["predict", str(two), "--all", "--json", "--model", str(MODEL)]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert [one["class"] for one in results] == ["4", "2"]
    assert results[0]["box"]["right"] < results[1]["box"]["left"]


def test_a_picture_explains_how_an_image_was_read(two, tmp_path):
    path = tmp_path / "why.png"
    predict([two], MODEL, warn=pytest.fail, every_digit=True, explain=path)
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert (pixels == (0, 114, 178)).all(axis=2).any()  # the first digit's colour, and the second's
    assert (pixels == (213, 94, 0)).all(axis=2).any()


@pytest.mark.parametrize("shade", [255, 0])
def test_a_picture_explains_why_an_image_was_refused(tmp_path, shade):
    Image.new("L", (60, 40), shade).save(tmp_path / "blank.png")
    (refused,) = predict([tmp_path / "blank.png"], MODEL, warn=pytest.fail, explain=tmp_path / "why.png")
    assert refused.error == f"{tmp_path / 'blank.png'}: no digit to be seen, the image is of one brightness"
    assert (tmp_path / "why.png").is_file()


def test_what_has_mnists_form_is_explained_as_it_is(tmp_path):
    form = np.zeros((28, 28), np.uint8)
    form[4:24, 13:16] = 255
    Image.fromarray(form).save(tmp_path / "one.png")
    (said,) = predict([tmp_path / "one.png"], MODEL, warn=pytest.fail, explain=tmp_path / "why.png")
    assert isinstance(said, Prediction)
    assert said.box is None
    assert (tmp_path / "why.png").is_file()


def test_one_image_is_explained_and_not_several(two, tmp_path):
    with pytest.raises(UsageError, match=r"--explain writes one \.png file, of one image; 2 were given"):
        predict([two, two], MODEL, warn=pytest.fail, explain=tmp_path / "why.png")
    with pytest.raises(UsageError, match=r"why\.gif: --explain writes one \.png file"):
        predict([two], MODEL, warn=pytest.fail, explain=tmp_path / "why.gif")


def test_an_image_that_is_none_is_explained_by_its_error_alone(tmp_path):
    (refused,) = predict([tmp_path / "none.png"], MODEL, warn=pytest.fail, explain=tmp_path / "why.png")
    assert isinstance(refused, Refused)
    assert not (tmp_path / "why.png").exists()


def test_the_table_counts_what_came_out():
    said = [
        Prediction("a", ("1", "2"), (0.99, 0.01)),
        Prediction("b", ("7", "1"), (0.95, 0.05)),
        Prediction("c", ("7", "1"), (0.5, 0.4)),
        Refused("d", "d: no digit"),
    ]
    found = outcome(said, [1, 1, 1, 1])
    assert found == Outcome(4, 1, 1, 1, none=0)
    assert "| all | 8 | 25.00 % | 2 | 2 | 0 |" in render({"one": found, "other": found})


def test_the_page_has_the_figures_of_every_scene():
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- what 'make photos' found: begin -->")
    table, _, _ = rest.partition("<!-- what 'make photos' found: end -->")
    assert [scene.name for scene in scenes.SCENES if f"| {scene.name} |" not in table] == []
    assert "| all |" in table


def test_the_table_of_what_is_no_digit_has_shares_with_their_intervals():
    table = render_others({"letters": (5, 10), "noise": (100, 100)})
    assert "| letters | 10 | 50.00 % | 23.66 % to 76.34 % |" in table
    assert "| noise | 100 | 100.00 % | 96.30 % to 100.00 % |" in table


@pytest.mark.slow
def test_letters_shapes_and_noise_are_drawn_as_a_model_sees_them():
    rng = np.random.default_rng(0)
    letters = others.forms(others.drawn(others.LETTERS, rng, 1), rng)
    assert letters.shape == (len(others.LETTERS), 28, 28)
    shapes = others.forms(others.drawn(others.SHAPES, rng, 1), rng)
    assert len(shapes) >= len(others.SHAPES) - 1
    assert others.noise(rng, 8).shape == (8, 28, 28)


@pytest.mark.slow
@pytest.mark.mnist
def test_one_test_image_in_a_hundred_is_called_none_of_the_digits_and_most_noise_is(real_mnist):
    assert 0.005 < called_none(MODEL, real_mnist.test.images[:3000, ..., 0]) / 3000 < 0.02
    assert called_none(MODEL, others.noise(np.random.default_rng(0), 200)) > 180
