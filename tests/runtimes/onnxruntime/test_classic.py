"""What scikit-learn's models are in ONNX: operators of ai.onnx.ml, a label and scores, which may be maps."""

import pytest

from toolkit import extras, runtimes
from toolkit.errors import ArtifactError
from toolkit.runtimes import onnxruntime

# They need onnx, which is not in the edge part.
pytestmark = pytest.mark.slow


@pytest.fixture
def save(tmp_path):
    """Save a linear classifier of 4 values and 2 classes, as skl2onnx does."""
    onnx = extras.load("onnx")
    make, kinds = onnx.helper, onnx.TensorProto

    def write(*outputs, maps=False):
        nodes = [
            make.make_node(
                "LinearClassifier",
                ["X"],
                ["label", "scores"],
                domain="ai.onnx.ml",
                coefficients=[1.0, -1.0] * 4,
                intercepts=[0.0, 0.0],
                classlabels_ints=[0, 1],
            )
        ]
        ends = {
            "label": make.make_tensor_value_info("label", kinds.INT64, [None]),
            "scores": make.make_tensor_value_info("scores", kinds.FLOAT, [None, 2]),
        }
        if maps:
            zipped = {"domain": "ai.onnx.ml", "classlabels_int64s": [0, 1]}
            nodes.append(make.make_node("ZipMap", ["scores"], ["maps"], **zipped))
            kind = make.make_sequence_type_proto(
                make.make_map_type_proto(kinds.INT64, make.make_tensor_type_proto(kinds.FLOAT, []))
            )
            ends["maps"] = make.make_value_info("maps", kind)
        rows = make.make_tensor_value_info("X", kinds.FLOAT, [None, 4])
        graph = make.make_graph(nodes, "linear", [rows], [ends[name] for name in outputs])
        opsets = [make.make_opsetid("", 17), make.make_opsetid("ai.onnx.ml", 3)]
        onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "linear.onnx")
        return tmp_path / "linear.onnx"

    return write


def test_its_multiplications_are_not_known(save):
    (node,) = onnxruntime.nodes(save("scores"))
    assert (node.operator.name, node.operator.macs) == ("LinearClassifier", None)


def test_a_label_beside_the_scores_is_named_with_what_leaves_it_out(save):
    session = runtimes.open_session(save("label", "scores"), threads=1)
    with pytest.raises(ArtifactError, match=r"has 2 outputs \(label, scores\); .*onnx\.utils\.extract_model writes"):
        session.output  # noqa: B018


def test_maps_are_refused_with_what_makes_tensors_of_them(save):
    with pytest.raises(ArtifactError, match=r"'maps' is a seq\(map.*; skl2onnx gives tensors with .*'zipmap': False"):
        runtimes.open_session(save("label", "maps", maps=True), threads=1)
