"""Two thin dense layers of a wide one."""

import numpy as np
import pytest

from tests.compress.networks import joined
from tests.compress.test_prune import drawn
from toolkit import extras
from toolkit.compress import lowrank
from toolkit.compress.channels import trace

pytestmark = pytest.mark.slow

# Of the 64 × 64 kernel below: a rank of 4 saves 4,096 - 2 · 4 · 64 weights.
SAVED = 64 * 64 - 2 * 4 * 64


def factored(model):
    keras = extras.load("keras")
    return lowrank.factored(keras, model, trace(keras, model))


def network(rank):
    """Return a network whose dense layer of 64 × 64 has a rank, and the same with thin layers."""
    keras = extras.load("keras")
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu", name="wide"),
            layers.Dense(3, activation="softmax", name="answer"),
        ],
        name="net",
    )
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(64, rank)) @ rng.normal(size=(rank, 64)) / 64
    made.get_layer("wide").set_weights([kernel, rng.normal(size=64)])
    return made, factored(made)


@pytest.fixture
def exactly(monkeypatch):
    """Keep all of a kernel."""
    monkeypatch.setattr(lowrank, "POWER", 1 - 1e-9)


def test_a_kernel_of_low_rank_becomes_two_that_compute_the_same(exactly):
    whole, thin = network(4)
    rows = np.random.default_rng(1).normal(size=(50, 64)).astype(np.float32)
    np.testing.assert_allclose(thin(rows), whole(rows), atol=1e-4)
    assert [layer.name for layer in thin.layers[1:]] == ["wide_low", "wide", "answer"]
    low = thin.get_layer("wide_low")
    assert (low.units, low.use_bias, low.activation.__name__) == (4, False, "linear")
    assert whole.count_params() - thin.count_params() == SAVED
    np.testing.assert_allclose(np.linalg.norm(low.kernel), np.linalg.norm(thin.get_layer("wide").kernel), rtol=1e-5)


def test_what_is_left_out_has_at_most_a_twentieth_of_the_power():
    whole, thin = network(16)
    kernel = np.asarray(whole.get_layer("wide").kernel)
    left = np.asarray(thin.get_layer("wide_low").kernel) @ np.asarray(thin.get_layer("wide").kernel)
    assert 0 < np.square(kernel - left).sum() <= 0.05 * np.square(kernel).sum()


def test_a_quarter_of_a_full_rank_is_kept():
    _, thin = network(64)
    assert thin.get_layer("wide_low").units == 16


def test_a_network_that_becomes_hardly_smaller_is_returned_as_it_is(exactly, monkeypatch):
    model = drawn(joined())
    assert factored(model) is model
    monkeypatch.setattr(lowrank, "LEAST_SAVED", SAVED + 1)
    whole, thin = network(4)
    assert thin is whole
