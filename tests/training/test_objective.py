"""What is learned by: labels, smoothed labels, and the answers of a teacher, each by its formula."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import RECIPE
from toolkit import extras
from toolkit.training.objective import Objective

pytestmark = pytest.mark.slow

LABELS = np.array([0, 2, 1], np.int32)
ANSWERS = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [1.0, 0.0, 0.0]], np.float32)
TAUGHT = np.array([[0.6, 0.3, 0.1], [0.05, 0.05, 0.9], [0.2, 0.8, 0.0]], np.float32)


def objective(weights=None, **options):
    recipe = replace(RECIPE, **options)
    return Objective(extras.load("tensorflow"), extras.load("keras"), recipe, classes=3, class_weights=weights)


def cross_entropy(targets, answers):
    return -(targets * np.log(np.clip(answers, 1e-7, 1 - 1e-7))).sum(axis=1)


def learned(objective, answers, *taught):
    return objective.of_training(LABELS, answers, *taught, of_labels=objective.of_labels(LABELS, answers))


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_without_options_the_loss_is_that_of_the_labels():
    plain = objective()
    expected = cross_entropy(np.eye(3)[LABELS], ANSWERS)
    np.testing.assert_allclose(learned(plain, ANSWERS), expected, rtol=1e-5)
    np.testing.assert_array_equal(learned(plain, ANSWERS), plain.of_labels(LABELS, ANSWERS))


def test_smoothed_labels_are_learned_and_whole_ones_validate():
    smoothed = objective(label_smoothing=0.3)
    targets = np.eye(3)[LABELS] * 0.7 + 0.1
    np.testing.assert_allclose(learned(smoothed, ANSWERS), cross_entropy(targets, ANSWERS), rtol=1e-5)
    np.testing.assert_array_equal(smoothed.of_labels(LABELS, ANSWERS), objective().of_labels(LABELS, ANSWERS))


def test_a_teacher_is_followed_by_the_formula_of_hinton():
    """Of logits, as the paper has it; the answers are their softmax, which has lost their sum."""
    rng = np.random.default_rng(0)
    own, others = rng.normal(0, 4, (2, 3, 3))
    temperature, weight = 3.0, 0.75
    soft = -(softmax(others / temperature) * np.log(softmax(own / temperature))).sum(axis=1)
    hard = cross_entropy(np.eye(3)[LABELS], softmax(own))
    expected = (1 - weight) * hard + weight * temperature**2 * soft
    taught = objective(teacher="t.keras", temperature=temperature, teacher_weight=weight)
    answers = (softmax(logits).astype(np.float32) for logits in (own, others))
    np.testing.assert_allclose(learned(taught, *answers), expected, rtol=1e-4)


def test_the_gradient_of_answers_of_0_is_finite():
    tf = extras.load("tensorflow")
    taught = objective(teacher="t.keras", teacher_weight=1.0)
    logits = tf.Variable([[0.0, 40.0, 200.0], [-200.0, 0.0, 200.0], [1.0, 2.0, 3.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(learned(taught, tf.nn.softmax(logits), TAUGHT))
    assert np.isfinite(tape.gradient(loss, logits).numpy()).all()


def test_classes_are_balanced_in_all_of_the_loss():
    weights = np.array([1.0, 2.0, 3.0], np.float32)
    options = {"teacher": "t.keras", "label_smoothing": 0.1}
    balanced, plain = objective(weights, **options), objective(**options)
    expected = weights[LABELS] * learned(plain, ANSWERS, TAUGHT)
    np.testing.assert_allclose(learned(balanced, ANSWERS, TAUGHT), expected, rtol=1e-6)
