"""A model of the user's own: a Python file with ``build``, trained, resumed and exported like the others."""

import sys

import pytest

from toolkit import models, runs
from toolkit.errors import RunError, UsageError
from toolkit.export import sources
from toolkit.training import folders
from toolkit.training.fit import train

NET = """
import keras

class Halved(keras.layers.Layer):
    def call(self, images):
        return images / 2

class Net(keras.Model):
    def __init__(self, classes, activation, **options):
        super().__init__(**options)
        self.classes, self.activation = classes, activation
        self.half, self.flat = Halved(), keras.layers.Flatten()
        self.hidden = keras.layers.Dense(8, activation=activation)
        self.answer = keras.layers.Dense(classes, activation="softmax")

    def get_config(self):
        return {"name": self.name, "classes": self.classes, "activation": self.activation}

    def call(self, images):
        return self.answer(self.hidden(self.flat(self.half(images))))

def build(keras, *, input_shape, classes, activation):
    return Net(classes, activation, name="net")
"""
FUNCTIONAL = """
def build(keras, *, input_shape, classes, activation):
    image = keras.Input(input_shape)
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(image)))
"""


@pytest.fixture
def own_net(here):
    path = here / "own_net.py"
    path.write_text(NET)
    yield path
    sys.modules.pop("own_net", None)


@pytest.mark.slow
def test_a_subclassed_model_is_trained_gone_on_with_and_exported(own_net, tiny):
    recipe, _, folder = folders.begin({"model": "own_net.py", "epochs": 1}, None, None)
    assert (recipe.model_name, folder.name[:8]) == ("own_net", "own_net-")
    trained = train(recipe, tiny, folder)
    assert trained.to_json()["model"] == "own_net"
    assert runs.read_config(folder)["recipe"]["model"] == "own_net.py"
    assert sources.newest_of_each_model()[0].name == "own_net"
    further, _, _ = folders.go_on({"model": str(own_net), "epochs": 2}, None, folder.name)
    assert len(train(further, tiny, folder, resume=True).progress.history) == 2


@pytest.mark.slow
def test_a_run_is_not_gone_on_with_without_its_file_or_with_another(own_net, tiny):
    recipe, _, folder = folders.begin({"model": "own_net.py", "epochs": 1}, None, "first")
    train(recipe, tiny, folder)
    with pytest.raises(UsageError, match=r"first was started with own_net\.py; give that file by --model again"):
        folders.go_on({"epochs": 2}, None, "first")
    with pytest.raises(UsageError, match="was started with another model; only --epochs may change"):
        folders.go_on({"model": "cnn"}, None, "first")
    own_net.write_text(NET + "\n# changed")
    with pytest.raises(RunError, match=r"was started with another own_net\.py; its weights do not fit this one"):
        train(recipe, tiny, folder, resume=True)


@pytest.mark.slow
def test_a_functional_model_of_the_user_s_is_built_as_it_is(here):
    (here / "functional_net.py").write_text(FUNCTIONAL)
    model = models.build("functional_net.py", input_shape=(8, 8, 1), classes=3)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Flatten", "Dense"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# No function", r"net_\d\.py: has no function build\(keras, \*, input_shape, classes, activation\)"),
        ("def build(keras, *, input_shape, classes): pass", "unexpected keyword argument 'activation'"),
        ("def build(keras, **_): return keras.layers.Dense(3)", "it returns Dense; it must return a keras.Model"),
        (
            "def build(keras, *, input_shape, **_):\n"
            "    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])",
            r"a model of \(None, 8, 8, 1\) to \(None, 64\); .* to \(None, 3\)$",
        ),
    ],
)
def test_a_build_that_makes_no_such_model_says_why(here, content, message, request):
    name = f"net_{request.node.callspec.indices['content']}.py"
    (here / name).write_text(content)
    with pytest.raises(UsageError, match=message):
        models.build(name, input_shape=(8, 8, 1), classes=3)


def test_a_file_that_is_not_there_is_said_before_anything_is_loaded(here):
    with pytest.raises(UsageError, match=r"none\.py: no such file"):
        folders.begin({"model": "none.py"}, None, None)
