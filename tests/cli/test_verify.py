"""``toolkit verify``."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit.cli.verify import tables
from toolkit.console import Console

MISTAKES = [
    (("verify",), "exported: no such file or folder"),
    (("verify", "--margin", "-1"), "the margin, in percentage points, is -1; it must be from 0 to 100"),
    (("verify", "--golden", "--save"), "results by golden measure no accuracy and are not saved"),
    (("verify", "--golden", "--data", "sample"), "golden.npz has its own images; leave out --golden, or --data"),
    (("verify", "--golden", "--image-size", "8x8"), "golden.npz has its own images; leave out --golden, or --data"),
    (
        ("verify", "a.onnx", "--against", "b.onnx", "--data", "sample", "--margin", "-1"),
        "the margin, in percentage points, is -1",
    ),
    (("verify", "--runtime", "litert", "--save"), "leave out --runtime, or --save"),
    (("verify", "--runtime", "tpu"), "'tpu' is not one of 'keras', 'litert', 'onnxruntime', 'tflm'"),
    (("verify", "EMPTY", "--flips", "flips.gif"), "flips.gif: a picture must end in .png or .svg"),
    (("verify", "EMPTY"), "no manifest.json there or in its subfolders"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_verify_prints_a_table_and_says_no(cli, exported, tiny_npz):
    code, out, _ = cli("verify", exported, "--data", tiny_npz, "--margin", "5")
    assert code == 0
    assert len(re.findall(r"[0-9] +pass\s*$", out, re.MULTILINE)) == 6
    assert "verdict: pass" in out
    path = exported / "cnn-int8.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    code, out, _ = cli("verify", exported, "--data", tiny_npz, "--margin", "5", "--json")
    document = json.loads(out)
    assert code == 1
    assert document["verdict"] == "fail"
    assert {r["artifact"].rpartition("/")[2]: r["verdict"] for r in document["results"]}["cnn-int8.tflite"] == "fail"


def test_verify_of_too_few_images_is_inconclusive(cli, exported_once, tiny_npz):
    code, out, _ = cli("verify", exported_once, "--data", tiny_npz)
    assert code == 3
    assert "verdict: inconclusive" in out
    assert "90 images cannot tell; at these rates about 539 images would tell" in out


def test_verify_draws_the_flips(cli, exported_once, tiny_npz, here):
    code, out, _ = cli("verify", exported_once, "--data", tiny_npz, "--margin", "5", "--flips", "flips.png")
    assert code == 0
    assert "flips: flips.png" in out
    assert (here / "flips.png").read_bytes()[:4] == b"\x89PNG"


def test_verify_by_golden_answers_both_questions(cli, exported_once):
    code, out, _ = cli("verify", exported_once, "--golden")
    assert code == 0
    assert "flips, Keras" in out
    assert "flips, recorded" in out
    assert "0 LSB" in out
    assert "golden.npz measures no accuracy" in out


def test_verify_json_has_the_contract(cli, exported_once, tiny_npz):
    _, out, _ = cli("verify", exported_once, "--data", tiny_npz, "--json")
    document = json.loads(out)
    assert (document["schema"], document["command"]) == (1, "verify")
    assert document["dataset"].keys() == {"name", "split", "n", "sha256", "overlap", "overlap_checked"}
    for result in document["results"]:
        assert result.keys() >= {
            "artifact", "runtime", "format", "quantization", "n", "accuracy", "reference_accuracy", "lost", "gained",
            "loss_pp", "loss_upper_pp", "margin_pp", "max_abs_error", "verdict", "changed", "change_ci95_pp",
            "mcnemar_p", "kl_mean_nats", "calibration_error", "class_accuracy", "flips", "images_to_decide",
        }  # fmt: skip


@pytest.mark.parametrize(("noun", "other"), [("row", "image"), ("image", "row")])
def test_the_columns_are_explained_in_the_words_of_the_data(capsys, noun, other):
    tables.explain(Console(), SimpleNamespace(parts=[SimpleNamespace(by_golden=False, noun=noun)]))
    said = capsys.readouterr().out
    assert f"accuracy: share of the test {noun}s that" in said
    assert other not in said


def leaky_npz(folder, tiny):
    """Data two of whose test images are training images."""
    arrays = list(tiny_arrays())
    arrays[2][[5, 7]] = tiny.train.images[[3, 4], ..., 0]
    np.savez(folder / "leaky.npz", **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
    return folder / "leaky.npz"


@pytest.mark.slow
def test_an_overlap_is_refused_or_every_figure_of_it_marked(cli, here, tiny):
    """From the training to the model card."""
    data = leaky_npz(here, tiny)
    train = ("train", "--data", data, "--model", "mlp", "--epochs", "1", "--name", "leaky")
    export = ("export", "leaky", "--format", "onnx", "--quantize", "float32")
    verify = ("verify", "--data", data, "--margin", "5", "--save")
    artifact = here / "exported" / "mlp" / "mlp-float32.onnx"
    against = ("verify", artifact, "--against", artifact, "--data", data, "--margin", "5")
    said = "2 of the 90 test images are training images too (rows 5, 7)"
    printed = []
    for arguments in (train, export, verify, against):
        code, _, err = cli(*arguments)
        assert (code, said in err) == (2, True), err
        code, out, err = cli(*arguments, "--allow-overlap")
        assert code == 0, err
        printed.append(out)
    for out in printed[2:]:
        assert "%*" in out
        assert "* not an accuracy: 2 of them are training images of the model" in out
        assert "not accuracy" in out.partition("to pass: ")[2]
    metrics = json.loads((here / "runs" / "leaky" / "metrics.json").read_text())
    folder = here / "exported" / "mlp"
    documents = [json.loads((folder / name).read_text()) for name in ("manifest.json", "parity.json")]
    for overlap in (metrics["dataset"]["overlap"], documents[0]["data"]["overlap"], documents[1]["dataset"]["overlap"]):
        assert [one["count"] for one in overlap] == [2]
    card = (folder / "README.md").read_text()
    assert "* not an accuracy: 2 test images are training images too." in card
    assert "%* |" in card
    assert "pass (margin 5 pp)* |" in card
    assert cli("record", "check", folder)[0] == 0
