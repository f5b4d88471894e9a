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


@pytest.mark.mnist
def test_mnist_is_taken_as_it_is(real_mnist):
    known = [digits.is_mnist(image[..., 0], height=28, width=28) for image in real_mnist.test.images]
    assert np.mean(known) > 0.98  # the others are 19 or 22 pixels high, or off the centre
