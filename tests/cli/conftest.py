"""The command line as a user meets it: a call with all that it prints, and what every mistake must look like."""

import pytest


@pytest.fixture
def mistake(cli, here, tiny_npz, exported_once):
    """Call the command line with a mistake: one clear line that ``says`` something, exit code 2, and nothing written.

    TINY stands for the tiny data, EMPTY is an empty folder, and files called CUT are cut off.
    """
    (here / "EMPTY").mkdir()
    originals = {"keras": "cnn.keras", "tflite": "cnn-int8.tflite", "onnx": "cnn-int8.onnx", "npz": "golden.npz"}
    for suffix, name in originals.items():
        (here / f"CUT.{suffix}").write_bytes((exported_once / name).read_bytes()[:2000])

    def make(*arguments, says):
        before = set(here.rglob("*"))
        code, out, err = cli(*(str(tiny_npz) if argument == "TINY" else argument for argument in arguments))
        assert code == 2
        assert says in err
        assert out == ""
        assert err.count("error: ") == 1
        assert "Traceback" not in err
        made = set(here.rglob("*")) - before
        assert [path for path in made if "benchmarks" not in str(path)] == []

    return make
