"""A digit's ink is brought to MNIST's form, and what has it is known."""

import numpy as np
import pytest

from toolkit import digits


def rectangle(height, width, *, margin=0) -> np.ndarray:
    return np.pad(np.ones((height, width), np.float32), margin)


def test_the_ink_fits_twenty_pixels_and_is_centred_by_mass():
    form = digits.to_form(rectangle(40, 10), height=28, width=28).astype(float)
    rows, columns = np.flatnonzero(form.any(axis=1)), np.flatnonzero(form.any(axis=0))
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 == 5  # the aspect of 40 to 10 is kept
    total = form.sum()
    assert abs((form.sum(axis=1) * np.arange(28)).sum() / total - 14) <= 0.5
    assert abs((form.sum(axis=0) * np.arange(28)).sum() / total - 14) <= 0.5


def test_a_hair_line_is_drawn_as_thick_as_a_stroke():
    form = digits.to_form(rectangle(300, 2), height=28, width=28)
    columns = np.flatnonzero((form > 128).any(axis=0))
    assert columns.size == 2
    assert form.max() == 255


def test_what_has_the_form_is_known():
    form = digits.to_form(rectangle(40, 10), height=28, width=28)
    assert digits.is_mnist(form, height=28, width=28)


@pytest.mark.parametrize(
    "change",
    [
        lambda form: np.roll(form, 3, axis=1),
        lambda form: 255 - form,
        lambda form: np.zeros_like(form),
        lambda form: form[:27],
        lambda form: np.pad(form[4:24, 4:24][::2, ::2], 9),
    ],
    ids=["off the centre", "dark on light", "empty", "of another size", "too small"],
)
def test_what_has_another_form_is_not_taken_for_it(change):
    form = digits.to_form(rectangle(40, 10), height=28, width=28)
    assert not digits.is_mnist(change(form), height=28, width=28)


def test_a_digit_is_looked_at_as_it_is_and_turned_to_either_side():
    ink = rectangle(60, 60)
    ink[:30, 30:] = 0
    own, left, right = digits.looks(ink, height=28, width=28)
    assert np.array_equal(own, digits.to_form(ink, height=28, width=28))
    for one, other in ((own, left), (own, right), (left, right)):
        assert np.abs(one.astype(int) - other).mean() > 10


@pytest.mark.mnist
def test_mnist_is_taken_as_it_is(real_mnist):
    known = [digits.is_mnist(image[..., 0], height=28, width=28) for image in real_mnist.test.images]
    assert np.mean(known) > 0.98  # the others are 19 or 22 pixels high, or off the centre


@pytest.mark.parametrize(("slope", "stays"), [(0.6, False), (-0.8, False), (-0.2, True), (0.0, True)])
def test_what_leans_far_is_set_upright_and_what_leans_as_mnist_does_stays(slope, stays):
    ink = np.zeros((100, 160), np.float32)
    for row in range(100):
        ink[row, round(75 + slope * (row - 50)) :][:10] = 1
    columns = np.flatnonzero(ink.any(axis=0))
    ink = ink[:, columns[0] : columns[-1] + 1]
    form = digits.to_form(ink, height=28, width=28)
    width = int((form > 128).any(axis=0).sum())
    expected = 2 + 20 * min(abs(slope), 0.25 if slope < 0 else 0.0)
    assert width == pytest.approx(expected, abs=1.5)
    assert stays == (abs(ink.shape[1] / 5 - width) < 2)


def test_a_drawing_on_a_canvas_of_the_model_s_size_is_cut_out():
    canvas = np.zeros((28, 28), np.uint8)
    canvas[3:13, 20:24] = 200
    for drawn in (canvas, 255 - canvas):
        np.testing.assert_array_equal(digits.canvas_ink(drawn, height=28, width=28), np.ones((10, 4), np.float32))


@pytest.mark.parametrize(
    "page",
    [np.zeros((28, 28), np.uint8), np.full((28, 28), 90, np.uint8), np.zeros((40, 28), np.uint8)],
    ids=["empty", "on grey", "of another size"],
)
def test_an_empty_page_one_on_grey_or_of_another_size_is_no_canvas(page):
    assert digits.canvas_ink(page, height=28, width=28) is None
