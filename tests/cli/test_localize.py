"""``toolkit localize``."""

import json

import pytest

MISTAKES = [
    (("localize", "EMPTY"), "EMPTY: a folder; name one artifact"),
    (("localize", "none.onnx"), "none.onnx: no such file or folder"),
    (("localize", "CUT.onnx"), ".: no manifest.json there"),
    (("localize", "CUT.onnx", "--picture", "layers.gif"), "layers.gif: a picture must end in .png or .svg"),
    (("localize",), "Missing argument 'artifact'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.slow
def test_localize_shows_each_layer_and_draws_them(cli, exported_once, here):
    code, out, _ = cli("localize", exported_once / "cnn-int8.tflite")
    assert code == 0
    assert "conv_1" in out
    assert "XNNPACK runs 7 operators, built-in runs 1 operator\n" in out
    assert "no layer is damaged" in out
    assert (here / "layers.png").is_file()
    code, out, _ = cli("localize", exported_once / "cnn-int8.tflite", "--picture", "drawn.svg", "--json")
    document = json.loads(out)
    assert (document["command"], document["culprit"], document["verdict"]) == ("localize", None, "pass")
    assert (here / "drawn.svg").is_file()
