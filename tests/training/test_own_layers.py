"""Layers of the user's own: a model with them is trained further where their Python file is given."""

import json
import sys

import pytest

from toolkit import api, extras
from toolkit.errors import ArtifactError, RunError
from toolkit.runtimes.keras.loading import allowed, allowing
from toolkit.training import arithmetic
from toolkit.training.recipe import Recipe
from toolkit.worker import process

pytestmark = pytest.mark.slow

OWN = """
import keras


class Doubled(keras.layers.Layer):
    def call(self, values):
        return 2 * values
"""


@pytest.fixture
def own(here):
    """The file of the layer, and that of a model with it."""
    path = here / "layers_to_train.py"
    path.write_text(OWN)
    keras = extras.load("keras")
    with allowing([path]):
        doubled = sys.modules["layers_to_train"].Doubled()
        layers = (doubled, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax"))
        keras.Sequential([keras.Input((8, 8, 1)), *layers]).save(here / "own.keras")
    yield path
    sys.modules.pop("layers_to_train", None)


def test_a_model_with_layers_of_ones_own_is_trained_further_and_gone_on_with(trusted, own, tiny_npz):
    model, data = own.with_name("own.keras"), {"data": tiny_npz, "name": "mine"}
    with pytest.raises(ArtifactError, match=r"made with Doubled \(layers_to_train\), .* that defines it by --import$"):
        api.train(str(model), epochs=1, **data)
    trained = api.train(str(model), epochs=1, imports=[own], **data)
    assert list(json.loads((trained.folder / "config.json").read_text())["imports_sha256"]) == [own.name]
    further = api.train(str(model), epochs=2, imports=[own], resume=True, name="mine")
    assert len(further.progress.history) == 2
    own.write_text(f"{OWN}# changed\n")
    with pytest.raises(
        RunError, match=r"was started with other Python files \(layers_to_train\.py\); give the same by"
    ):
        api.train(str(model), epochs=3, imports=[own], resume=True, name="mine")


def test_what_is_allowed_around_a_block_stays_allowed_in_it(own, tmp_path):
    other = tmp_path / "more_to_train.py"
    other.write_text("# No layer\n")
    with allowing([own], unsafe_lambda=True), allowing([other, own]):
        assert allowed().files == (own, other)
        assert (allowed().unsafe_lambda, list(allowed().objects)) == (True, ["Doubled"])
    assert (allowed().files, allowed().unsafe_lambda) == ((), False)
    sys.modules.pop("more_to_train")


def test_the_trial_of_a_training_may_run_the_same_code(own, tiny, monkeypatch):
    says = "import sys; sys.stdin.readline(); assert sys.argv[2:] and not any(one.startswith('--') for one in sys.argv)"
    answer = json.dumps({"tried": [], "bytes": 0})
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", f"{says}; print({answer!r})"))
    recipe = Recipe(model="own.keras")
    assert arithmetic._try(recipe, tiny, "cpu", onednn=None) is None
    with allowing([own]):
        assert arithmetic._try(recipe, tiny, "cpu", onednn=None) == []
