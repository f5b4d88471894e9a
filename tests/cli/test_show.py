"""``toolkit show`` as a user meets it."""

import json
from xml.etree import ElementTree

import pytest

MISTAKES = [
    (("show", "none.tflite"), "none.tflite: no such file"),
    (("show", "CUT.npz"), "no runtime runs '.npz' files; allowed: .keras, .tflite, .onnx"),
    (("show", "CUT.tflite"), "CUT.tflite: LiteRT cannot load it"),
    (("show", "CUT.onnx"), "CUT.onnx: ONNX Runtime cannot load it"),
    (("show", "CUT.tflite", "--svg", "graph.png"), "graph.png: a picture of a graph must end in .svg"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.slow
@pytest.mark.training
def test_a_keras_file_that_was_cut_off_is_one_line(mistake):
    mistake("show", "CUT.keras", says="CUT.keras: cannot be read as a whole .keras file")


def test_a_graph_is_listed_and_drawn(cli, here, exported_once):
    code, out, err = cli("show", exported_once / "cnn-float32.tflite", "--svg", "graph.svg")
    assert (code, err) == (0, "")
    lines = [line.strip() for line in out.strip().splitlines()]
    assert lines[0].split() == ["operator", "name", "gives", "parameters", "MACs", "weights", "takes", "kernels"]
    (convolution,) = (line for line in lines if line.startswith("0 CONV_2D"))
    assert "1×8×8×32" in convolution
    assert convolution.split()[-6:] == ["320", "18,432", "1.28", "kB", "input", "XNNPACK"]
    assert lines[-3].endswith("of weights")
    assert "52,099 parameters" in lines[-3]
    assert lines[-1] == "picture: graph.svg"
    ElementTree.parse(here / "graph.svg")


def test_a_graph_as_a_document(cli, exported_once):
    code, out, err = cli("show", exported_once / "cnn-int8.onnx", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["runtime"] == "onnxruntime"
    assert document["macs"] == sum(node["macs"] or 0 for node in document["nodes"])
