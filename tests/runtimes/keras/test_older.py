"""Files of Keras 2, as Keras 3 is to read them."""

import json
import zipfile

import numpy as np
import pytest

from tests.runtimes.keras.saving import saved
from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.runtimes.keras.loading import load_model

pytestmark = [pytest.mark.training, pytest.mark.slow]


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
