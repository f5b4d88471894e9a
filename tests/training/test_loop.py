"""An epoch: however its rows come to the device, and however it is cut into calls, it ends with the same weights."""

import math
from functools import partial

import numpy as np
import pytest

from tests.training.made_up import NORMALIZED, RECIPE, assert_same, state
from toolkit.training import epochs, schedule
from toolkit.training.fit import train

pytestmark = pytest.mark.slow


def test_the_gradient_norm_of_the_last_layer_is_that_of_the_formula(tiny):
    """Of softmax and cross-entropy: the mean of (probability - target) times the layer's input."""
    from toolkit import extras, models
    from toolkit.training.loop import Loop
    from toolkit.training.objective import Objective

    tf, keras = extras.load("tensorflow"), extras.load("keras")
    keras.utils.set_random_seed(0)
    model = models.build("mlp", input_shape=(8, 8, 1), classes=3)
    objective = Objective(tf, keras, RECIPE, classes=3)
    loop = Loop(tf, model=model, optimizer=None, objective=objective, batch_size=1)
    rows = tiny.train.rows(slice(0, 50))
    hidden = keras.Model(model.inputs[0], model.layers[-1].input)(rows.images / np.float32(255)).numpy()
    excess = model(rows.images / np.float32(255)).numpy() - np.eye(3)[rows.labels]
    expected = math.hypot(np.linalg.norm(hidden.T @ excess / 50), np.linalg.norm(excess.mean(axis=0)))
    norms = loop.gradient_norms(rows.images, rows.labels)
    assert norms["probabilities"] == pytest.approx(expected, rel=1e-5)


def test_streamed_data_give_the_same_weights(tmp_path, tiny, monkeypatch, uninterrupted):
    monkeypatch.setattr("toolkit.training.feed.available_memory_bytes", lambda: 100)
    monkeypatch.setattr("toolkit.training.feed.STREAM_BYTES", 64 * 40)
    started = []
    train(RECIPE, tiny, tmp_path / "streamed", on_start=started.append)
    assert not started[0].resident
    assert_same(state(uninterrupted), state(tmp_path / "streamed"))


def test_a_run_cut_into_short_calls_gives_the_same_weights(tmp_path, tiny, monkeypatch, uninterrupted):
    monkeypatch.setattr(epochs, "FIRST_BLOCK_BATCHES", 2)
    monkeypatch.setattr(epochs, "RESPONSIVE_S", 0.0)
    train(RECIPE, tiny, tmp_path / "cut")
    assert_same(state(uninterrupted), state(tmp_path / "cut"))


@pytest.mark.parametrize(("batches", "sizes"), [(7, [60, 60, 60, 60]), (1, [30] * 8), (100, [240])])
def test_blocks_end_where_what_is_computed_at_once_ends(tiny, batches, sizes):
    from toolkit import extras
    from toolkit.training.feed import Feed

    feed = Feed(extras.load("tensorflow"), tiny.train)
    blocks = list(feed.blocks(np.arange(240), batches=batches, batch_size=10, multiple=3))
    assert [len(order) for _, _, order in blocks] == sizes
    np.testing.assert_array_equal(np.concatenate([order for _, _, order in blocks]), np.arange(240))


def made(code, keras, **options):
    names = {}
    exec(code, names)
    return names["build"](keras, **options)


def test_batch_normalization_and_a_rate_that_warms_up_learn_as_in_keras(tiny):
    """The statistics of each batch, and what moves of them, as in a fit in the same order by the same rates."""
    from toolkit import extras
    from toolkit.training.loop import Loop
    from toolkit.training.objective import Objective

    tf, keras = extras.load("tensorflow"), extras.load("keras")
    rows = tiny.train.rows(slice(0, 80))
    networks = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        networks.append(made(NORMALIZED, keras, input_shape=(8, 8, 1), classes=3, activation="relu"))
    model, other = networks
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    loop = Loop(
        tf,
        model=model,
        optimizer=optimizer,
        objective=Objective(tf, keras, RECIPE, classes=3),
        batch_size=32,
        before_step=partial(schedule.warm_up, tf, optimizer, rate=0.1, steps=2),
    )
    loop.train(tf.constant(rows.images), tf.constant(rows.labels, tf.int32), np.arange(80))
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.05, 0.1])
    other.compile(keras.optimizers.SGD(rates), "sparse_categorical_crossentropy")
    other.fit(rows.images / np.float32(255), rows.labels, batch_size=32, shuffle=False, verbose=0)
    assert sum("moving" in one.name for one in model.variables) == 4
    for own, expected in zip(model.variables, other.variables, strict=True):
        np.testing.assert_allclose(own.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)
