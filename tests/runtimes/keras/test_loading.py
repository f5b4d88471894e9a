"""What a Keras file may run: its own layers' code where the user gave it, nothing else; and what is loaded."""

import sys

import numpy as np
import pytest

from tests.runtimes.keras.saving import saved
from toolkit import extras, runtimes
from toolkit.errors import ArtifactError, UsageError
from toolkit.runtimes.keras.loading import allowing, load_model
from toolkit.worker.child import arguments
from toolkit.worker.session import contained

pytestmark = [pytest.mark.training, pytest.mark.slow]

OWN = """
import keras

class Double(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs

@keras.saving.register_keras_serializable("own")
class Triple(keras.layers.Layer):
    def call(self, inputs):
        return 3 * inputs

def squared(inputs):
    return inputs * inputs

class Net(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.double, self.dense = Double(), keras.layers.Dense(3, activation="softmax")

    def call(self, images):
        return self.dense(self.double(keras.ops.reshape(images, (-1, 64))))
"""


@pytest.fixture
def own(tmp_path):
    """A user's file with layers, and its module, which is forgotten before the test and after it."""
    path = tmp_path / "own_layers.py"
    path.write_text(OWN)
    yield path
    sys.modules.pop("own_layers", None)


def forget(keras):
    """Make the process one that has never seen the user's file; what this project registered stays known."""
    registered = keras.saving.get_custom_objects()
    for name in [name for name in registered if name.startswith("own>")]:
        del registered[name]
    sys.modules.pop("own_layers", None)


@pytest.mark.parametrize("name", ["Double", "Triple"])
def test_a_layer_of_the_user_s_is_loaded_where_its_file_is_given(keras, own, tmp_path, name):
    with allowing([own]):
        path = saved(keras, tmp_path / "m.keras", getattr(sys.modules["own_layers"], name)())
        expected = load_model(path)(np.ones((1, 8, 8, 1)))
    forget(keras)
    with pytest.raises(ArtifactError, match=rf"m\.keras: is made with {name} \(own_layers\), .* by --import$"):
        load_model(path)
    with allowing([own]):
        np.testing.assert_array_equal(load_model(path)(np.ones((1, 8, 8, 1))), expected)


def test_what_a_script_or_a_notebook_defines_itself_needs_a_file(keras, tmp_path):
    class Noted(keras.layers.Layer):  # type: ignore[misc,name-defined]
        __module__ = "__main__"

    path = saved(keras, tmp_path / "m.keras", Noted())
    with pytest.raises(
        ArtifactError, match=r"m\.keras: is made with Noted, which Keras does not have; .* by --import$"
    ):
        load_model(path)


def test_a_function_of_the_user_s_needs_its_file_too(keras, own, tmp_path):
    with allowing([own]):
        path = saved(keras, tmp_path / "m.keras", keras.layers.Lambda(sys.modules["own_layers"].squared))
    forget(keras)
    with pytest.raises(ArtifactError, match=r"is made with squared, which Keras does not have; give the Python"):
        load_model(path)
    with allowing([own]):
        assert load_model(path).input_shape == (None, 8, 8, 1)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_code_inside_the_file_runs_only_where_that_is_said(keras, tmp_path, suffix):
    path = saved(keras, tmp_path / f"m{suffix}", keras.layers.Lambda(lambda x: 2 * x, output_shape=(8, 8, 1)))
    with pytest.raises(ArtifactError, match=r"has a Lambda layer, which is Python code inside the file; .*--import$"):
        load_model(path)
    with allowing([], unsafe_lambda=True):
        assert load_model(path).output_shape == (None, 3)
    with pytest.raises(ArtifactError, match="--unsafe-lambda"):
        load_model(path)


def test_a_subclassed_model_tells_its_inputs(keras, own, tmp_path):
    with allowing([own]):
        net = sys.modules["own_layers"].Net(name="net")
        expected = net(np.ones((2, 8, 8, 1), np.float32))
        net.save(tmp_path / "net.keras")
        model = load_model(tmp_path / "net.keras")
        assert (model.name, model.input_shape, model.output_shape) == ("net", (None, 8, 8, 1), (None, 3))
        session = runtimes.open_session(tmp_path / "net.keras", threads=0)
    np.testing.assert_allclose(session.predict(np.full((2, 8, 8, 1), 255, np.uint8)), expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_model_that_was_never_called_says_what_to_do(keras, own, tmp_path):
    with allowing([own]):
        sys.modules["own_layers"].Net().save(tmp_path / "net.keras")
        with pytest.raises(ArtifactError, match=r"does not tell its one input; call the model on an image before"):
            load_model(tmp_path / "net.keras")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_an_hdf5_file_is_read(keras, tmp_path):
    path = saved(keras, tmp_path / "m.h5")
    assert load_model(path).input_shape == (None, 8, 8, 1)
    load_model(path).save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ArtifactError, match=r"m\.weights\.h5: holds weights without a model; save the whole model"):
        load_model(tmp_path / "m.weights.h5")
    path.write_bytes(b"\x89HDF nothing")
    with pytest.raises(ArtifactError, match=r"m\.h5: cannot be read as a Keras model in HDF5"):
        load_model(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 / 0", "own_layers.py: cannot be imported: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("def (", "cannot be imported: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(own, content, message):
    own.write_text(content)
    with pytest.raises(UsageError, match=message), allowing([own]):
        pass


def test_a_worker_runs_code_of_the_user_s_or_inside_of_a_file_only_where_that_is_said(keras, own, tmp_path):
    with allowing([own]):
        layered = saved(keras, tmp_path / "layered.keras", sys.modules["own_layers"].Double())
    inside = keras.layers.Lambda(lambda x: 2 * x, output_shape=(8, 8, 1))
    within = saved(keras, tmp_path / "within.keras", inside)
    forget(keras)
    with contained() as workers:
        with pytest.raises(ArtifactError, match=r"is made with Double \(own_layers\), .* --import$"):
            workers.open_session(layered)
        with pytest.raises(ArtifactError, match="--unsafe-lambda"):
            workers.open_session(within)
    assert arguments([own], unsafe_lambda=False) == [str(own)]
    with allowing([own], unsafe_lambda=True), contained() as workers:
        for path in (layered, within):
            assert workers.open_session(path).predict(np.zeros((2, 8, 8, 1), np.uint8)).shape == (2, 3)


def test_a_model_of_a_fixed_number_of_rows_takes_any(tmp_path):
    keras = extras.load("keras")
    layers = [keras.layers.LSTM(3, name="lstm"), keras.layers.Dense(3, name="answer")]
    fixed = keras.Sequential([keras.Input(batch_shape=(2, 5, 4)), *layers])
    fixed.save(tmp_path / "fixed.keras")
    free = load_model(tmp_path / "fixed.keras")
    assert (free.input_shape, [layer.name for layer in free.layers[1:]]) == ((None, 5, 4), ["lstm", "answer"])
    rows = np.random.default_rng(0).random((4, 5, 4), np.float32)
    expected = np.concatenate([fixed(rows[:2]), fixed(rows[2:])])
    np.testing.assert_allclose(free(rows), expected, atol=1e-6)


def test_a_model_of_one_tensor_in_a_dictionary_takes_and_gives_it_by_itself(tmp_path):
    keras = extras.load("keras")
    image = keras.Input((4,), name="image")
    model = keras.Model({"image": image}, {"answer": keras.layers.Dense(3, name="answer")(image)})
    model.save(tmp_path / "named.keras")
    plain = load_model(tmp_path / "named.keras")
    assert (plain.input_shape, plain.output_shape) == ((None, 4), (None, 3))
    rows = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(plain(rows), model({"image": rows})["answer"])
