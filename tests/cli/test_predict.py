"""``toolkit predict``."""

import json

import pytest

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
