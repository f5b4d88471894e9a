"""Files of ONNX whose weights lie in another file, as PyTorch writes them."""

import numpy as np
import pytest

from toolkit import extras, runtimes
from toolkit.errors import ArtifactError

# It needs onnx, which is not in the edge part.
pytestmark = pytest.mark.slow


def test_a_file_whose_weights_lie_in_another_is_refused_with_what_makes_one_of_both(tmp_path):
    onnx = extras.load("onnx")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    ends = [make.make_tensor_value_info(name, kind, [1, size]) for name, size in (("rows", 4), ("scores", 3))]
    weights = onnx.numpy_helper.from_array(np.ones((4, 3), np.float32), "weights")
    nodes = [make.make_node("MatMul", ["rows", "weights"], ["scores"])]
    graph = make.make_graph(nodes, "dense", ends[:1], ends[1:], [weights])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    whole, parted = tmp_path / "whole.onnx", tmp_path / "parted.onnx"
    onnx.save(model, whole)
    onnx.save(model, parted, save_as_external_data=True, location="parted.data", size_threshold=0)
    runtimes.open_session(whole)
    with pytest.raises(ArtifactError, match=r"parted\.onnx: its weights lie in another file; python -c .* makes one"):
        runtimes.open_session(parted)
