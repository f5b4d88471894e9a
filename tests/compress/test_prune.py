"""Which channels stay, and that the others leave no trace."""

import numpy as np
import pytest

from tests.compress.networks import joined
from toolkit import extras, models
from toolkit.compress import prune
from toolkit.compress.channels import DEPTHWISE, trace
from toolkit.data.base.parts import divide
from toolkit.runs import FED


def drawn(model, seed=0):
    """Give a model random weights, positive variances among them."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.uniform(0.1, 0.6, one.shape) * rng.choice([1, -1], one.shape) for one in model.get_weights()]
    )
    for layer in model.layers:
        if "norm" in layer.name:
            *others, variance = layer.get_weights()
            layer.set_weights([*others, np.abs(variance)])
    return model


def silence(model, channels, keep):
    """Make the channels that go give out 0."""
    for layer in model.layers:
        if not layer.weights:
            continue
        taken, given = (channels.kept(of[layer.name], keep) for of in (channels.takes, channels.gives))
        weights = layer.get_weights()
        for values in weights:
            if values.ndim > 1 and type(layer).__name__ in DEPTHWISE:
                values[..., ~taken, :] = 0
            else:
                values[..., ~given] = 0
        layer.set_weights(weights)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.7, 0.4, 0.01])
def test_without_channels_that_give_out_nothing_a_network_answers_the_same(share):
    keras = extras.load("keras")
    model = drawn(joined())
    channels = trace(keras, model)
    rng = np.random.default_rng(1)
    keep = prune.most_important({group: rng.random(size) for group, size in channels.groups.items()}, share=share)
    silence(model, channels, keep)
    made = prune.pruned(keras, model, channels, keep)
    images = rng.random((20, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(made(images), model(images), atol=1e-5)
    assert made.get_layer("a").filters == made.get_layer("b").filters == max(1, round(6 * share))
    assert made.get_layer("hidden").units == max(1, round(5 * share))
    assert made.get_layer("answer").units == 3
    assert [layer.name for layer in made.layers[1:]] == [layer.name for layer in model.layers[1:]]


def test_the_share_is_of_each_group_and_the_most_important_stay():
    keep = prune.most_important({3: np.array([0.1, 0.4, 0.3, 0.2]), 7: np.array([1.0, 2.0])}, share=0.5)
    assert {group: list(kept) for group, kept in keep.items()} == {3: [False, True, True, False], 7: [False, True]}
    assert prune.most_important({0: np.zeros(3)}, share=0.01)[0].tolist() == [True, False, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scale", "sizing"),
    [("mlp", 0.2, "dense_1"), ("tiny:width=4,depth=2", 1, "norm_1"), ("tiny:width=4,depth=2", 1, "norm_2")],
)
def test_the_importance_is_what_the_loss_changes_with_the_size_of_a_channel(tiny, monkeypatch, name, scale, sizing):
    """Compared with the difference of the loss where a channel is 1 % larger and smaller."""
    monkeypatch.setattr(prune, "ROWS", prune.AT_ONCE)
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    model = drawn(models.build(name, input_shape=(8, 8, 1), classes=3), seed=3)
    model.set_weights([scale * values for values in model.get_weights()])  # far from certain
    channels, parts = trace(keras, model), divide(tiny, share=0.2, seed=0)
    found = prune.importance(tf, keras, model, channels, parts, FED)[int(channels.gives[sizing][0, 0])]
    rows = np.random.default_rng(0).permutation(parts.training_rows)[: prune.ROWS]
    images, labels = tiny.train.images[rows] / np.float32(255), tiny.train.labels[rows]
    sized = model.get_layer(sizing).trainable_variables
    whole = [np.array(one) for one in sized]

    def loss(channel, factor):
        for variable, values in zip(sized, whole, strict=True):
            changed = values.copy()
            changed[..., channel] *= factor
            variable.assign(changed)
        answers = np.asarray(model(images), np.float64)
        return -np.log(answers[np.arange(len(rows)), labels]).mean()

    strongest = np.argsort(found)[-5:]
    expected = [((loss(channel, 1.01) - loss(channel, 0.99)) / 0.02) ** 2 for channel in strongest]
    np.testing.assert_allclose(found[strongest], expected, rtol=0.05)


@pytest.mark.slow
def test_a_channel_that_nothing_takes_is_not_important(tiny):
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    model = drawn(models.build("tiny:width=4,depth=2", input_shape=(8, 8, 1), classes=3))
    kernel, bias = model.get_layer("probabilities").get_weights()
    kernel[[1, 3, 4, 6]] = 0
    model.get_layer("probabilities").set_weights([kernel, bias])
    channels = trace(keras, model)
    found = prune.importance(tf, keras, model, channels, divide(tiny, share=0.2, seed=0), FED)
    (of_last,) = (found[group] for group, size in channels.groups.items() if size == 8)
    assert np.flatnonzero(of_last == 0).tolist() == [1, 3, 4, 6]
