"""What a Keras file may run: its own layers' code where the user gave it, nothing else; and what is loaded."""

import json
import sys
import zipfile

import numpy as np
import pytest

from toolkit import extras, runtimes
from toolkit.errors import ArtifactError, UsageError
from toolkit.runtimes.base import as_artifact_error
from toolkit.runtimes.keras.layers import Layers
from toolkit.runtimes.keras.loading import allowing, load_model
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
def keras():
    return extras.load("keras")


@pytest.fixture
def own(tmp_path):
    """A user's file with layers, and its module, which is forgotten before the test and after it."""
    path = tmp_path / "own_layers.py"
    path.write_text(OWN)
    yield path
    sys.modules.pop("own_layers", None)


def saved(keras, path, *layers):
    keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Flatten(), keras.layers.Dense(3)]).save(path)
    return path


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


def described(name, kind, own, *given):
    """Return a layer as Keras 2 describes it; given: the calls whose results it takes."""
    calls = [[[before, call, 0, {}] for before, call in given]] if given else []
    return {"class_name": kind, "name": name, "config": {"name": name, **own}, "inbound_nodes": calls}


def as_keras_2(path, config):
    """Make an HDF5 file one of Keras 2, of a model with this configuration."""
    with extras.load("h5py").File(path, "r+") as root:
        root.attrs["keras_version"] = "2.15.0"
        root.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})


def network(name, *layers):
    ends = {"input_layers": [[layers[0]["name"], 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"name": name, "trainable": True, "layers": list(layers), **ends}


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_an_hdf5_file_of_keras_2_is_read(keras, tmp_path):
    """With a model in the model, whose calls Keras 2 counts from 1, and with arguments that layers had then."""
    layers, path = keras.layers, tmp_path / "older.h5"
    image = keras.Input((8, 8, 2), name="image")
    inner = keras.Input((8, 8, 2), name="inner")
    base = keras.Model(inner, layers.DepthwiseConv2D(3, name="depthwise")(inner), name="base")
    rows = layers.Reshape((36, 2), name="rows")(layers.SpatialDropout2D(0.5, name="dropout")(base(image)))
    both = layers.Bidirectional(layers.LSTM(3, name="lstm"), name="both")(rows)
    model = keras.Model(image, layers.Dense(3, name="dense")(both), name="net")
    model.save(path)
    shape = {"batch_input_shape": [None, 8, 8, 2], "dtype": "float32", "sparse": False, "ragged": False}
    lstm = {"class_name": "LSTM", "config": {"name": "lstm", "units": 3, "time_major": False, "implementation": 2}}
    depthwise = {"kernel_size": [3, 3], "groups": 1, "kernel_initializer": None}
    config = network(
        "net",
        described("image", "InputLayer", shape),
        described(
            "base",
            "Functional",
            network(
                "base",
                described("inner", "InputLayer", shape),
                described("depthwise", "DepthwiseConv2D", depthwise, ("inner", 0)),
            ),
            ("image", 0),
        ),
        described("dropout", "SpatialDropout2D", {"rate": 0.5, "trainable": True, "noise_shape": None}, ("base", 1)),
        described("rows", "Reshape", {"target_shape": [36, 2]}, ("dropout", 0)),
        described("both", "Bidirectional", {"layer": lstm, "merge_mode": "concat"}, ("rows", 0)),
        described("dense", "Dense", {"units": 3}, ("both", 0)),
    )
    as_keras_2(path, config)
    before, rows = path.read_bytes(), np.random.default_rng(0).normal(size=(4, 8, 8, 2)).astype(np.float32)
    np.testing.assert_allclose(load_model(path)(rows, training=False), model(rows, training=False), atol=1e-6)
    assert path.read_bytes() == before
    depthwise = config["layers"][1]["config"]["layers"][1]["config"]
    depthwise["groups"] = 2
    as_keras_2(path, config)
    with pytest.raises(ArtifactError, match=r"older\.h5: Keras cannot load it: .*'groups': 2"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_an_hdf5_file_of_keras_2_may_name_its_tensors_and_call_functions(keras, tmp_path):
    path = tmp_path / "older.h5"
    values = keras.Input((4,), name="values")
    model = keras.Model(values, keras.layers.Dense(3, name="dense")(values))
    model.save(path)
    config = network(
        "net",
        described("values", "InputLayer", {"batch_input_shape": [None, 4]}),
        described("dense", "Dense", {"units": 3}, ("values", 0)),
    )
    config |= {"input_layers": {"values": ["values", 0, 0]}, "output_layers": {"class": ["dense", 0, 0]}}
    as_keras_2(path, config)
    rows = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(load_model(path)(rows), model(rows), atol=1e-6)
    function = described("plus", "TFOpLambda", {"function": "math.add"})
    config["layers"].append(function | {"inbound_nodes": [["dense", 0, 0, {"y": 3.0}]]})
    as_keras_2(path, config)
    with pytest.raises(ArtifactError, match=r"older\.h5: Keras cannot load it: .*TFOpLambda"):
        load_model(path)


@pytest.mark.parametrize(
    ("then", "now"),
    [(b'"batch_shape"', b'"batch_shape_of_then"'), (b'"module": "keras"', b'"module": "tf_keras.src.engine"')],
)
def test_a_keras_file_of_keras_2_says_what_to_do(keras, tmp_path, then, now):
    path = saved(keras, tmp_path / "older.keras")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["metadata.json"] = b'{"keras_version": "2.15.0"}'
    assert then in members["config.json"]
    members["config.json"] = members["config.json"].replace(then, now)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ArtifactError, match=r"older\.keras: Keras 2\.15\.0 saved it, .*; save it there as \.h5"):
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


def test_layers_that_are_shared_nested_and_of_two_inputs_are_run_one_by_one(keras, tmp_path):
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    shared = layers.Conv2D(2, 3, padding="same", name="shared")
    inner = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(2, 3), layers.Flatten()], name="inner")
    first = shared(image)
    second = shared(layers.Concatenate(name="pair")([first, first])[..., :1] + 1.0)
    sum_ = layers.Add(name="sum")([first, second])
    keras.Model(image, layers.Dense(3, name="dense")(inner(sum_))).save(tmp_path / "m.keras")
    images = np.random.default_rng(0).random((4, 8, 8, 1), np.float32)
    model = Layers(tmp_path / "m.keras")
    outputs = model.together(images)
    assert list(outputs) == ["pair", "sum", "inner", "dense"]
    expected = runtimes.open_session(tmp_path / "m.keras", threads=0).run(images)
    np.testing.assert_allclose(outputs["dense"], expected, atol=1e-5)
    alone = model.alone("dense", {"inner": outputs["inner"] * 0}, images)
    np.testing.assert_allclose(alone.values, np.zeros((4, 3)), atol=1e-6)  # a new layer's bias is 0
    np.testing.assert_allclose(model.alone("sum", {}, images).values, outputs["sum"], atol=1e-5)


def test_a_worker_loads_a_layer_of_the_user_s_where_its_file_is_given(keras, own, tmp_path):
    with allowing([own]):
        path = saved(keras, tmp_path / "m.keras", sys.modules["own_layers"].Double())
    forget(keras)
    with (
        contained() as workers,
        pytest.raises(ArtifactError, match=r"is made with Double \(own_layers\), .* --import$"),
    ):
        workers.open_session(path)
    with allowing([own]), contained() as workers:
        assert workers.open_session(path).predict(np.zeros((2, 8, 8, 1), np.uint8)).shape == (2, 3)


def test_a_worker_runs_code_inside_of_a_file_only_where_that_is_said(keras, tmp_path):
    path = saved(keras, tmp_path / "m.keras", keras.layers.Lambda(lambda x: 2 * x, output_shape=(8, 8, 1)))
    with contained() as workers, pytest.raises(ArtifactError, match="--unsafe-lambda"):
        workers.open_session(path)
    with allowing([], unsafe_lambda=True), contained() as workers:
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


def test_what_a_runtime_says_of_whole_arrays_is_cut_off(tmp_path):
    with pytest.raises(ArtifactError) as caught, as_artifact_error(tmp_path, "Keras cannot run it"):
        raise ValueError(f"wrong: {np.arange(1000).tolist()}")
    assert str(caught.value).endswith(" …")
    assert len(str(caught.value)) < 700


def test_a_model_of_one_tensor_in_a_dictionary_takes_and_gives_it_by_itself(tmp_path):
    keras = extras.load("keras")
    image = keras.Input((4,), name="image")
    model = keras.Model({"image": image}, {"answer": keras.layers.Dense(3, name="answer")(image)})
    model.save(tmp_path / "named.keras")
    plain = load_model(tmp_path / "named.keras")
    assert (plain.input_shape, plain.output_shape) == ((None, 4), (None, 3))
    rows = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(plain(rows), model({"image": rows})["answer"])
