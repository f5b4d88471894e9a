"""``toolkit predict``."""

import json

import numpy as np
import pytest

from toolkit import data

MISTAKES = [
    (("predict",), "Missing argument"),
    (("predict", "none.png"), "exported: no artifact there"),
    (("predict", "none.png", "--model", "CUT.onnx", "--labels", "none.txt"), "none.txt: no such file"),
    pytest.param(
        ("predict", "none.png", "--model", "CUT.keras", "--import", "none.py"),
        "none.py: no such file; give a Python file",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_predict_prints_class_probability_and_runner_up(cli, exported_once, here, tiny):
    from PIL import Image

    Image.fromarray(tiny.test.images[1, ..., 0]).save("one.png")
    code, out, _ = cli("predict", "one.png", "--model", exported_once / "cnn-int8.onnx", "--json")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert result["class"] == "1"
    assert result["probability"] > result["runner_up_probability"]
    code, out, _ = cli("predict", "one.png", "--model", exported_once / "cnn-int8.onnx")
    assert "runner-up" in out


@pytest.mark.training
def test_rows_are_not_promised_a_score_that_only_images_have(cli, here, monkeypatch):
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        [helper.make_node("Softmax", ["row"], ["shares"])],
        "shares",
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [None, 3])],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), "shares.onnx")
    np.save("rows.npy", np.eye(3, dtype=bool)[[2, 0]])
    code, out, err = cli("predict", "rows.npy", "--model", "shares.onnx")
    assert (code, [line.split()[:2] for line in out.splitlines() if "rows.npy" in line]) == (
        0,
        [["rows.npy:0", "2"], ["rows.npy:1", "0"]],
    )
    assert "no score" not in err
    read = data.rows_of
    monkeypatch.setattr(data, "rows_of", lambda *given: read(*given)._replace(notes=("rows.npy: is cut off",)))
    assert "warning: rows.npy: is cut off" in cli("predict", "rows.npy", "--model", "shares.onnx")[2]
