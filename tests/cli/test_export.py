"""``toolkit export``."""

import json
import shutil

import pytest

from toolkit.cli.export import _shape

MISTAKES = [
    (("export",), "no run in runs/ has a best.keras yet; 'toolkit train' makes one"),
    (("export", "none.keras"), "none.keras: no such file"),
    (
        ("export", "none"),
        "none: no such file, folder or run; allowed: a run, by name or folder, a folder of an export,",
    ),
    (("export", "CUT.npz"), "CUT.npz: neither a run nor an export; allowed: a run, by name or folder"),
    (("export", "--input-shape", "96x96"), "the input shape is '96x96'; it must be height, width and channels, as in"),
    (("export", "CUT.keras", "--format", "coreml"), "unknown format 'coreml'; allowed: c, onnx, tflite"),
    (("export", "CUT.keras", "--quantize", "int4"), "unknown quantization 'int4'; allowed: onnx: float32"),
    (("export", "CUT.keras", "--data", "TINY"), "CUT.keras: cannot be read as a whole .keras file"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_an_input_shape_is_height_width_and_channels():
    assert _shape("96x64×3") == (96, 64, 3)


@pytest.mark.slow
def test_export_of_a_run_by_name(cli, here, trained_folder, tiny_npz):
    shutil.copytree(trained_folder, here / "runs" / "tiny")
    code, out, err = cli("export", "tiny", "--data", tiny_npz, "--format", "onnx", "--calibration", "20", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["manifest"] == "exported/cnn/manifest.json"
    assert [a["path"] for a in document["artifacts"]] == ["exported/cnn/cnn-float32.onnx", "exported/cnn/cnn-int8.onnx"]
    assert document["artifacts"][0].keys() >= {"path", "format", "quantization", "sha256", "size_bytes"}
    assert (here / "exported" / "cnn" / "loss.png").is_file()
