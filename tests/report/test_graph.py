"""The graph of a model file, and its picture."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from toolkit import extras, runtimes
from toolkit.errors import ArtifactError, UsageError
from toolkit.report import graph
from toolkit.report.graph import Graph
from toolkit.runtimes.base.graph import Node, Operator, edges

# Of the tiny CNN: 8×8×1 images, convolutions to 32 and 64 channels with pools between, 128 and 3 units.
PARAMETERS = 9 * 32 + 32 + 9 * 32 * 64 + 64 + 256 * 128 + 128 + 128 * 3 + 3
MACS = 8 * 8 * 9 * 32 + 4 * 4 * 9 * 32 * 64 + 2 * 2 * 64 * 128 + 128 * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "cnn-float32.tflite",
        "cnn-float16.tflite",
        "cnn-float32.onnx",
        pytest.param("cnn.keras", marks=pytest.mark.training),
    ],
)
def test_every_format_has_the_same_parameters_and_multiply_accumulates(exported_once, name):
    found = graph.read(exported_once / name)
    assert (found.parameters, found.macs) == (PARAMETERS, MACS)
    assert next(node.takes for node in found.nodes if node.takes) == (-1,)  # behind what unpacks weights
    assert found.nodes[-1].shape == (1, 3)
    assert sum(found.kernels.values()) == len(found.nodes)
    assert all(before < place for place, node in enumerate(found.nodes) for before in node.takes)


def test_of_a_quantized_file_the_weights_are_those_of_8_bits(exported_once):
    found = graph.read(exported_once / "cnn-int8.tflite")
    assert PARAMETERS <= found.weight_bytes < 1.05 * PARAMETERS + 4 * 300  # biases have four bytes
    document = found.to_json()
    assert document["command"] == "show"
    keys = {"operator", "name", "shape", "parameters", "takes", "kernels", "macs", "arithmetic", "weight_bytes"}
    assert set(document["nodes"][0]) == keys


@pytest.mark.parametrize("name", ["cnn-int8.tflite", "cnn-int8.onnx"])
def test_a_file_that_was_cut_off_is_one_error(exported_once, tmp_path, name):
    cut = tmp_path / name
    cut.write_bytes((exported_once / name).read_bytes()[:1000])
    with pytest.raises(ArtifactError, match=name):
        graph.read(cut)


def test_what_operators_take_is_known_by_the_tensors():
    ends = [(["image"], ["a"]), (["a"], ["b", "c"]), (["b", "a", "image"], ["d"]), ([], ["e"]), (["d", "d"], ["f"])]
    assert edges(ends) == [(-1,), (0,), (1, 0, -1), (), (2,)]


def made_up(*takes, name="layer;other", macs=10):
    nodes = tuple(Node(Operator("ADD", "XNNPACK", macs, None, 4), name, (1, 2), 1, taken) for taken in takes)
    return Graph(Path("model.tflite"), "litert", 1000, nodes)


def test_the_picture_has_a_box_for_each_operator_and_a_line_for_each_tensor():
    drawn = ElementTree.fromstring(graph.draw(made_up((-1,), (0,), (1, 0), (-1, 2))))
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f".//{space}rect")) == 5
    assert len(drawn.findall(f".//{space}line")) == 4  # to the next
    assert len(drawn.findall(f".//{space}path")) == 2  # past others
    words = [text.text for text in drawn.iter(f"{space}text")]
    assert {"input", "ADD", "layer", "1×2", "10 MACs, 4 B"} <= set(words)


def test_a_picture_alone_is_a_file_with_its_colours():
    alone = graph.standalone(graph.draw(made_up((-1,), name="<evil>\x1b")))
    assert ElementTree.fromstring(alone.encode()).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in alone
    assert "&lt;evil&gt;\\x1b" in alone


def test_a_picture_of_very_many_operators_is_refused():
    with pytest.raises(UsageError, match=r"model\.tflite: has 401 operators; 400 are drawn at most"):
        graph.draw(made_up(*((place - 1,) for place in range(401))))


def test_unknown_multiply_accumulates_have_no_sum():
    assert made_up((-1,), macs=None).macs is None
    assert made_up((-1,), (0,)).macs == 20


def test_a_long_name_keeps_its_end():
    name = "a/very/long/name" * 5
    assert graph.shortened(name) == f"…{name[-45:]}"
    assert graph.shape(None) == "shape not known"


@pytest.fixture(scope="module")
def layered(tmp_path_factory):
    """A Keras model with layers of many kinds; returns its nodes by the names of its layers."""
    keras = extras.load("keras")
    layers = keras.layers
    image = layers.Input((8, 8, 4))
    inner = keras.Sequential([layers.Input((8, 8, 4)), layers.Conv2D(2, 3, name="in_it"), layers.ReLU()], name="inner")
    again = layers.Conv2D(4, 3, padding="same", name="again")
    x = layers.Add(name="sum")([again(again(image)), image])
    parts = [
        layers.Conv2D(8, 3, groups=2, strides=2, name="groups")(x),
        layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x),
        layers.SeparableConv2D(5, 3, depth_multiplier=2, name="separable")(x),
        layers.Conv2DTranspose(6, 3, strides=2, name="transposed")(x),
        layers.BatchNormalization(name="batch")(x),
        inner(x),
    ]
    flat = [layers.GlobalAveragePooling2D()(part) for part in parts]
    steps = layers.LSTM(3, name="lstm")(layers.Reshape((8, 32))(x))
    model = keras.Model(image, layers.Dense(3, name="last")(layers.Concatenate()([*flat, steps])))
    path = tmp_path_factory.mktemp("layers") / "layers.keras"
    model.save(path)
    return {node.name: node for node in runtimes.get("keras").nodes(path)}, model


@pytest.mark.training
@pytest.mark.slow
def test_multiply_accumulates_of_the_layers_of_keras(layered):
    nodes, _ = layered
    macs = {name: node.operator.macs for name, node in nodes.items()}
    assert macs["again"] == 8 * 8 * 4 * 3 * 3 * 4
    assert macs["groups"] == 3 * 3 * 8 * 3 * 3 * 2
    assert macs["depthwise"] == 6 * 6 * 8 * 3 * 3
    assert macs["separable"] == 6 * 6 * 8 * 3 * 3 + 6 * 6 * 5 * 8
    assert macs["transposed"] == 8 * 8 * 4 * 3 * 3 * 6
    assert macs["inner"] == 6 * 6 * 2 * 3 * 3 * 4
    assert (macs["batch"], macs["sum"], macs["lstm"]) == (0, 0, None)
    assert macs["last"] == (8 + 8 + 5 + 6 + 4 + 2 + 3) * 3


@pytest.mark.training
@pytest.mark.slow
def test_a_layer_that_is_called_twice_has_its_parameters_once(layered, tmp_path):
    nodes, model = layered
    path = tmp_path / "again.keras"
    model.save(path)
    assert sum(node.parameters for node in runtimes.get("keras").nodes(path)) == model.count_params()
    assert nodes["sum"].takes[-1] == -1
    assert nodes["groups"].shape == (1, 3, 3, 8)
    assert np.prod(nodes["last"].shape) == 3
