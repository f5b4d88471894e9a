"""Clipped inputs and outputs are named where they explain answers that differ, and nowhere else."""

import numpy as np
import pytest

from toolkit.manifest import TensorSpec
from toolkit.parity import clipping
from toolkit.parity.halves import Halves

IMAGES, CLASSES = 400, 10
# Real values from -1 to 127/128, and from 0 to 255/256.
INPUT = TensorSpec("image", (None, 4, 4, 1), "int8", scale=1 / 128, zero_point=0)
OUTPUT = TensorSpec("probabilities", (None, CLASSES), "uint8", scale=1 / 256, zero_point=0)
FLOAT = TensorSpec("image", (None, 4, 4, 1), "float32")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def halves(rng):
    return Halves(rng.integers(0, CLASSES, IMAGES), CLASSES)


def some(values):
    """The same values, some rows at a time."""
    return (values[start : start + 100] for start in range(0, len(values), 100))


def answers(halves, wrong):
    return np.where(wrong, (halves.expected + 1) % CLASSES, halves.expected)


def test_images_with_many_clipped_values_that_are_answered_otherwise_are_the_cause(rng, halves):
    bright = rng.random(IMAGES) < 0.4
    values = rng.uniform(-0.9, 0.9, (IMAGES, 4, 4, 1)).astype(np.float32)
    values[bright, :2] += 2
    found = clipping.input_clipping(INPUT, some(values), answers(halves, bright), halves)
    wrong = bright[halves.half :].mean()
    assert found.name == "saturation"
    assert (found.before, found.after) == (1 - wrong, 1.0)
    assert found.text.startswith("its input holds -1 to 0.9922, beyond which ")
    assert found.text.endswith(" of the values are clipped; where few are, the answers are equal")
    unrelated = answers(halves, rng.random(IMAGES) < 0.4)
    assert clipping.input_clipping(INPUT, some(values), unrelated, halves) is None
    assert clipping.input_clipping(FLOAT, some(values), answers(halves, bright), halves) is None


def test_values_within_a_step_of_the_ends_are_not_clipped(halves):
    values = np.full((IMAGES, 4, 4, 1), 1.0, np.float32)
    assert clipping.input_clipping(INPUT, some(values), answers(halves, np.arange(IMAGES) % 2 > 0), halves) is None


def outputs_of(halves, tied, others):
    """Outputs that are right, but for images whose class shares the highest value with ``others``, (IMAGES, …)."""
    outputs = np.full((IMAGES, CLASSES), 0.1, np.float32)
    rows = np.arange(IMAGES)
    outputs[rows, halves.expected] = np.where(tied, 255 / 256, 0.9)
    for other in others.T:
        outputs[rows[tied], other[tied]] = 255 / 256
    return outputs


def test_several_outputs_at_the_highest_value_with_the_right_one_among_them_are_the_cause(rng, halves):
    tied = rng.random(IMAGES) < 0.5
    outputs = outputs_of(halves, tied, (halves.expected[:, None] + rng.integers(1, CLASSES, (IMAGES, 1))) % CLASSES)
    found = clipping.output_clipping(OUTPUT, outputs, outputs.argmax(axis=1), halves)
    assert (found.name, found.after) == ("saturation", 1.0)
    assert found.before == halves.share(outputs.argmax(axis=1)) < 0.9
    assert found.text.startswith("the outputs of several classes are at 0.9961, the most that its output holds, in ")
    assert found.text.endswith(" of the answers: the larger are clipped")


def test_ties_that_hold_the_right_class_by_chance_are_no_cause(rng, halves):
    """Each image has three classes at the highest value, whichever is right."""
    outputs = np.full((IMAGES, CLASSES), 0.1, np.float32)
    for row in outputs:
        row[rng.choice(CLASSES, 3, replace=False)] = 255 / 256
    assert clipping.output_clipping(OUTPUT, outputs, outputs.argmax(axis=1), halves) is None
    outputs[:] = 255 / 256
    assert clipping.output_clipping(OUTPUT, outputs, outputs.argmax(axis=1), halves) is None
    assert clipping.output_clipping(FLOAT, outputs, outputs.argmax(axis=1), halves) is None
