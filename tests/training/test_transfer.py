"""Training that goes on from a Keras file: which weights move, which head is new, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.training.made_up import RECIPE
from toolkit import extras, runs
from toolkit.convention import Convention, Layout
from toolkit.data.base import make_dataset
from toolkit.errors import ArtifactError, UsageError
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import folders
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe
from toolkit.training.transfer import check_output


@pytest.fixture
def trained(trained_folder):
    """The path of a trained CNN."""
    return trained_folder / "best.keras"


@pytest.fixture
def two_classes():
    """The tiny data without their third class."""
    train_images, train_labels, test_images, test_labels = tiny_arrays(seed=5)
    learned, tested = train_labels < 2, test_labels < 2
    arrays = (train_images[learned], train_labels[learned], test_images[tested], test_labels[tested])
    return make_dataset(arrays, name="two", origin="two.npz")


def weights(path):
    return {layer.name: layer.get_weights() for layer in load_model(path).layers if layer.weights}


def moved(before, after):
    """Return the names of the layers whose weights differ."""
    return {name for name, own in before.items() if any((a != b).any() for a, b in zip(own, after[name], strict=True))}


def recipe_of(path, **changes):
    return replace(RECIPE, model=str(path), epochs=2, **changes)


def save(path, *layers, shape=(8, 8, 1)):
    keras = extras.load("keras")
    keras.Sequential([keras.Input(shape), *layers]).save(path)
    return path


@pytest.mark.slow
def test_frozen_layers_keep_their_weights_and_the_others_learn(tmp_path, tiny, trained):
    said = []
    recipe = recipe_of(trained, freeze_until="pool_2")
    went_on = train(recipe, tiny, tmp_path / "run", warn=said.append)
    assert moved(weights(trained), weights(tmp_path / "run" / "best.keras")) == {"dense_1", "probabilities"}
    assert said == []
    assert went_on.test.accuracy > 0.95
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["recipe"]["model"], config["recipe"]["freeze_until"]) == ("best.keras", "pool_2")
    assert len(config["model_sha256"]) == 64
    assert "layers frozen up to pool_2" in (tmp_path / "run" / "summary.txt").read_text()
    # What one training froze, the next one learns again.
    train(recipe_of(tmp_path / "run" / "best.keras"), tiny, tmp_path / "next")
    assert "conv_1" in moved(weights(trained), weights(tmp_path / "next" / "best.keras"))


@pytest.mark.slow
def test_a_model_within_the_model_is_frozen_as_a_whole(tmp_path, tiny):
    keras = extras.load("keras")
    body = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(9)], name="body")
    path = save(tmp_path / "nested.keras", body, keras.layers.Dense(3, activation="softmax", name="head"))
    train(recipe_of(path, freeze_until="body"), tiny, tmp_path / "run")
    assert moved(weights(path), weights(tmp_path / "run" / "best.keras")) == {"head"}


@pytest.mark.slow
def test_a_head_of_other_classes_is_replaced_and_that_is_said(tmp_path, two_classes, trained):
    said = []
    recipe = recipe_of(trained, freeze_until="dense_1")
    trained_further = train(recipe, two_classes, tmp_path / "run", warn=said.append)
    assert said == [
        f"{trained}: tells 3 classes apart, 'two' has 2; its last layer, 'probabilities', is replaced by a new one"
    ]
    after = weights(tmp_path / "run" / "best.keras")
    assert after["probabilities"][0].shape == (128, 2)
    assert moved({name: own for name, own in weights(trained).items() if name != "probabilities"}, after) == set()
    assert trained_further.test.accuracy > 0.9


@pytest.mark.slow
def test_a_run_of_a_file_is_gone_on_with_if_the_file_is_given(here, tiny, trained):
    (here / "own.keras").write_bytes(trained.read_bytes())
    recipe, _, folder = folders.begin({"model": "own.keras", "epochs": 1}, None, "first")
    train(recipe, tiny, folder)
    with pytest.raises(UsageError, match=r"first was started with own\.keras; give that file by --model again"):
        folders.go_on({"epochs": 2}, None, "first")
    further, _, _ = folders.go_on({"model": "own.keras", "epochs": 2}, None, "first")
    assert len(train(further, tiny, folder, resume=True).progress.history) == 2


@pytest.mark.slow
def test_a_layer_that_is_not_there_names_the_layers(tmp_path, tiny, trained):
    with pytest.raises(UsageError, match=r"has no layer 'conv_9'; its layers: conv_1, pool_1, .*, probabilities$"):
        train(recipe_of(trained, freeze_until="conv_9"), tiny, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_something_must_be_left_to_train(tmp_path, tiny, trained):
    with pytest.raises(UsageError, match="frozen up to 'probabilities' nothing is left to train; name an earlier one"):
        train(recipe_of(trained, freeze_until="probabilities"), tiny, tmp_path / "run")


@pytest.mark.slow
def test_a_file_whose_grey_images_lack_an_axis_is_trained_further(tmp_path, tiny):
    layers = extras.load("keras").layers
    path = save(tmp_path / "rows.keras", layers.Flatten(), layers.Dense(3, activation="softmax"), shape=(8, 8))
    went_on = train(recipe_of(path, learning_rate=0.03, augment="shift=0.01"), tiny, tmp_path / "run")
    assert went_on.test.accuracy > 0.9
    assert runs.convention_of(went_on.folder).layout == Layout.NHW


@pytest.mark.slow
def test_images_of_another_size_are_refused(tmp_path, tiny):
    dense = extras.load("keras").layers.Dense
    path = save(tmp_path / "flat.keras", dense(3, activation="softmax"), shape=(7,))
    with pytest.raises(UsageError, match=r"takes \(None, 7\), the images of 'tiny' are \(None, 8, 8, 1\)"):
        train(recipe_of(path), tiny, tmp_path / "run")


@pytest.mark.slow
def test_logits_get_a_softmax_which_is_said(tmp_path, tiny):
    layers, said = extras.load("keras").layers, []
    path = save(tmp_path / "logits.keras", layers.Flatten(), layers.Dense(3))
    went_on = train(recipe_of(path, learning_rate=0.03), tiny, tmp_path / "run", warn=said.append)
    assert said == [f"{path}: answers with logits; a softmax is put behind it, with which it is trained and kept"]
    assert went_on.test.accuracy > 0.9
    answers = load_model(went_on.checkpoint)(np.ones((2, 8, 8, 1), np.float32))
    np.testing.assert_allclose(np.sum(answers, axis=1), 1, atol=1e-6)


@pytest.mark.slow
def test_answers_that_are_neither_probabilities_nor_logits_are_refused(tmp_path, tiny):
    layers = extras.load("keras").layers
    path = save(tmp_path / "sigmoids.keras", layers.Flatten(), layers.Dense(3, activation="sigmoid"))
    with pytest.raises(UsageError, match="are no probabilities; training takes a model that ends in a softmax, or in"):
        train(recipe_of(path), tiny, tmp_path / "run")


def test_a_model_that_cannot_be_run_is_one_line(tiny):
    def model(images, training):
        raise MemoryError("OOM when allocating tensor")

    with pytest.raises(ArtifactError, match=r"^own\.keras: Keras cannot run it: OOM when allocating tensor$"):
        check_output(model, Path("own.keras"), tiny, Convention())


@pytest.mark.slow
def test_a_network_without_its_head_gets_one(tmp_path, tiny):
    layers, said = extras.load("keras").layers, []
    path = save(tmp_path / "body.keras", layers.Conv2D(8, 4, strides=4), layers.GlobalMaxPooling2D())
    went_on = train(recipe_of(path), tiny, tmp_path / "run", warn=said.append)
    assert said == [f"{path}: ends in 8 features; a new last layer tells 3 classes apart"]
    assert load_model(went_on.checkpoint).output_shape == (None, 3)


@pytest.mark.slow
def test_a_head_that_is_no_dense_layer_cannot_be_replaced(tmp_path, tiny):
    layers = extras.load("keras").layers
    path = save(tmp_path / "conv.keras", layers.Conv2D(5, 8), layers.Flatten(), layers.Softmax())
    with pytest.raises(UsageError, match=r"only a Dense layer can be replaced, .* is 'conv2d.*', a Conv2D$"):
        train(recipe_of(path), tiny, tmp_path / "run")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"model": "cnn", "freeze_until": "conv_1"},
            r"'cnn' has no weights yet .*; give a trained model by --model FILE",
        ),
        ({"model": "own.keras", "activation": "tanh"}, "its layers as they are, --activation tanh cannot change them"),
        ({"model": "own.keras", "precision": "mixed"}, "--precision mixed cannot change them"),
    ],
)
def test_options_that_make_no_sense_for_what_training_starts_from_are_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**wrong)
