"""The charts of a run say which weights are kept, and which are not."""

from math import nan
from pathlib import Path

import pytest

from toolkit import drawing
from toolkit.training import plots
from toolkit.training.checkpoint import Epoch
from toolkit.training.recipe import Recipe

LOSSES = (0.4, 0.2, 0.3, 0.5)


@pytest.fixture
def draw(monkeypatch):
    """Draw a made-up run; returns the axes of both charts, and the words below them."""

    def draw(losses=LOSSES, *, best_epoch, validated=True, **recipe):
        figures = []
        monkeypatch.setattr(drawing, "save", lambda figure, path: figures.append(figure))
        history = [
            Epoch(n, loss / 2, 0.9, loss if validated else nan, 0.95 if validated else nan, 1.0)
            for n, loss in enumerate(losses, 1)
        ]
        paths = plots.draw(Path(), history, recipe=Recipe(**recipe), data="mnist", best_epoch=best_epoch)
        assert [path.name for path in paths] == ["loss.png", "accuracy.png"]
        return [(f.axes[0], [text.get_text() for text in f.legends[0].get_texts()]) for f in figures]

    return draw


def test_the_best_epoch_is_marked_and_what_comes_after_it_is_not_kept(draw):
    (loss, words), (_, of_accuracy) = draw(best_epoch=2)
    kept = ["best epoch: 2 (0.2000), lowest validation loss", "from epoch 3 on: weights not kept"]
    assert words == ["training", "validation", *kept]
    assert of_accuracy[2] == "best epoch: 2 (95.00 %), lowest validation loss"
    (shaded,) = loss.patches
    assert (shaded.get_x(), shaded.get_x() + shaded.get_width()) == (2, 4)


def test_where_the_last_epoch_is_the_best_all_that_was_learned_is_kept(draw):
    for axes, words in draw(best_epoch=4):
        assert len(words) == 3
        assert not axes.patches


def test_without_validation_images_the_best_is_by_training(draw):
    (_, words), _ = draw(best_epoch=4, validated=False, monitor="accuracy", validation_split=0)
    assert words == ["training", "best epoch: 4 (0.2500), highest training accuracy"]


def test_the_title_has_the_words_of_a_study(draw):
    (axes, _), _ = draw(best_epoch=2, model="mlp", optimizer="sgd", activation="sigmoid", loss="mse")
    assert axes.get_title() == "MLP on mnist: SGD, sigmoid, learning rate 0.01, mean squared error"
