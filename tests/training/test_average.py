"""The average of the weights: by its formula, in the place of the weights when it is asked for, and in a run."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import NORMALIZED, RECIPE, assert_same, state, weights
from toolkit import extras
from toolkit.runtimes.keras.loading import load_model
from toolkit.training.average import Average
from toolkit.training.fit import train

pytestmark = pytest.mark.slow


@pytest.fixture
def model():
    keras = extras.load("keras")
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(2), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    )


def averaged(model, decay):
    keras = extras.load("keras")
    optimizer = keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    return Average(extras.load("tensorflow"), keras, model=model, optimizer=optimizer, decay=decay), optimizer


def test_the_average_follows_the_weights_and_the_statistics_by_the_formula(model):
    average, optimizer = averaged(model, 0.3)
    learned = [one for one in model.variables if one.dtype == "float32"]
    assert [one.shape for one in average.variables] == [one.shape for one in learned]
    assert len(learned) < len(model.variables)  # the state of the dropout's generator is no weight
    assert sum("moving" in one.name for one in learned) == 2
    expected = [one.numpy() for one in learned]
    for step in (1, 2, 5):
        optimizer.iterations.assign(step)
        for one in learned:
            one.assign(np.full(one.shape, step, np.float32))
        average.update()
        decay = min(0.3, (1 + step) / (10 + step))
        expected = [decay * before + (1 - decay) * step for before in expected]
    for one, wanted in zip(average.variables, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), wanted, rtol=1e-6)


def test_a_weight_that_stays_is_its_own_average(model):
    average, optimizer = averaged(model, 0.999)
    before = [one.numpy() for one in average.variables]
    for step in range(50):
        optimizer.iterations.assign(step)
        average.update()
    assert_same(dict(enumerate(before)), dict(enumerate(one.numpy() for one in average.variables)))


def test_the_model_has_the_averages_in_the_block_alone(model):
    average, _ = averaged(model, 0.9)
    model.trainable_variables[0].assign(np.full((2, 2), 7, np.float32))
    with contextlib.suppress(KeyboardInterrupt), average.in_place():
        assert (model.trainable_variables[0].numpy() != 7).all()
        raise KeyboardInterrupt
    assert (model.trainable_variables[0].numpy() == 7).all()
    assert (average.variables[0].numpy() != 7).all()


def test_the_averages_are_validated_and_kept(tmp_path, tiny):
    """Of a network with batch normalization."""
    path = tmp_path / "normalized.py"
    path.write_text(NORMALIZED)
    recipe = replace(RECIPE, model=str(path), average=0.8, warmup=1, label_smoothing=0.1, epochs=3)
    progress = train(recipe, tiny, tmp_path / "run").progress
    arrays = state(tmp_path / "run")
    assert progress.best_epoch == 3
    averages = [arrays[f"average_{number}"] for number in range(sum("average" in name for name in arrays))]
    kept = weights(tmp_path / "run")
    assert_same(dict(enumerate(averages)), dict(enumerate(kept)))
    assert any((average != arrays[f"model_{number}"]).any() for number, average in enumerate(averages))
    answers = load_model(tmp_path / "run" / "best.keras").predict(tiny.train.images[192:] / np.float32(255), verbose=0)
    losses = -np.log(answers[np.arange(48), tiny.train.labels[192:]])
    assert progress.history[-1].val_loss == pytest.approx(losses.mean(), rel=1e-4)
