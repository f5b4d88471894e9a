"""Classes of unequal size that count the same."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import UNEVEN
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.runtimes.keras.loading import load_model
from toolkit.training.epochs import class_weights
from toolkit.training.fit import train


def lopsided(rows, rare_share, *, seed):
    """Return images whose brightness hardly tells the rare class 1 from class 0, and their classes."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(rows) % round(1 / rare_share) == 0).astype(np.int64)
    images = rng.normal(110 + 12 * labels[:, None, None], 60, (rows, 6, 6)).clip(0, 255).astype(np.uint8)
    return images, labels


@pytest.fixture
def rare():
    """A twentieth of the training images, and half of the test images, are of class 1."""
    arrays = (*lopsided(800, 0.05, seed=0), *lopsided(400, 0.5, seed=1))
    return make_dataset(arrays, name="rare", origin="tests")


def test_the_weights_are_those_of_the_formula(rare):
    parts = divide(rare, share=0.2, seed=0)
    weights = class_weights(parts)
    assert weights.tolist() == pytest.approx([640 / (2 * 608), 640 / (2 * 32)])
    assert weights[rare.train.labels[parts.training_rows]].mean() == pytest.approx(1)


@pytest.mark.slow
def test_a_rare_class_is_found_more_often(tmp_path, rare):
    recalls = {}
    for balance in (False, True):
        folder = tmp_path / str(balance)
        trained = train(replace(UNEVEN, epochs=6, balance=balance), rare, folder)
        answers = load_model(folder / "best.keras").predict(rare.test.images / np.float32(255), verbose=0)
        recalls[balance] = np.mean(answers.argmax(axis=1)[rare.test.labels == 1] == 1)
        document = json.loads((folder / "config.json").read_text())
        assert ("balance" in document["recipe"], "class_weights" in document) == (balance, balance)
        assert ("balanced classes" in trained.recipe.additions) == balance
    assert recalls[True] > recalls[False] + 0.3
