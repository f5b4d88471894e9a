"""The command line as a user meets it: outputs, exit codes, one clear line for every mistake."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import tiny_arrays, verification
from tests.elsewhere import elsewhere
from toolkit import manifest, registry
from toolkit.cli import VERBS, app, call
from toolkit.files import sha256


@pytest.fixture
def cli(capfd):
    """Call the command line; return (exit code, stdout, stderr)."""

    def run(*arguments):
        code = call([str(argument) for argument in arguments])
        return (code, *capfd.readouterr())

    return run


def test_every_verb_is_a_module_of_the_folder():
    assert {command.name for command in app.registered_commands} == set(VERBS)
    assert set(registry.names("toolkit.cli")) == {*VERBS, "options", "devices"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(cli, verb):
    code, out, err = cli(verb, "--help")
    assert (code, err) == (0, "")
    assert "--json" in out
    assert "--debug" in out


def test_without_a_verb_the_help_is_shown(cli):
    assert cli() == cli("--help")


def test_the_version_is_told(cli):
    assert cli("--version") == (0, "toolkit 0.1.0\n", "")


MISTAKES = [
    (("fly",), "No such command 'fly'"),
    (("train", "--model", "vgg"), "unknown model 'vgg'; allowed: cnn, mlp"),
    (("train", "--model", "none.py"), "none.py: no such file"),
    (("train", "--epochs", "many"), "Invalid value for '--epochs'"),
    (("train", "--epochs", "0"), "epochs and batch size must be at least 1"),
    (("train", "--optimiser", "adam"), "No such option"),
    (("train", "--data", "nowhere"), "no data source and no path is called 'nowhere'"),
    (("train", "--name", "../x"), "cannot name a run"),
    (("train", "--device", "tpu", "--data", "TINY"), "unknown device 'tpu'; allowed: auto, gpu, cpu"),
    (("train", "--resume"), "no run has a finished epoch"),
    (("train", "--resume", "--name", "none"), "no run is called 'none'; known runs: none"),
    (("export",), "no run in runs/ has a best.keras yet; 'toolkit train' makes one"),
    (("export", "none.keras"), "none.keras: no such file"),
    (
        ("export", "none"),
        "none: no such file, folder or run; allowed: a run, by name or folder, a folder of an export,",
    ),
    (("export", "CUT.npz"), "CUT.npz: neither a run nor an export; allowed: a run, by name or folder"),
    (
        ("export", "CUT.keras", "--input-shape", "96x96"),
        "the input shape is '96x96'; it must be height, width and channels",
    ),
    (("export", "--format", "coreml"), "unknown format 'coreml'; allowed: c, onnx, tflite"),
    (("export", "--quantize", "int4"), "unknown quantization 'int4'; allowed: onnx: float32"),
    (("export", "CUT.keras", "--data", "TINY"), "CUT.keras: cannot be read as a whole .keras file"),
    (("verify",), "exported: no such file or folder"),
    (("verify", "--margin", "-1"), "the margin is -1.0; it must be from 0 to 100"),
    (("verify", "--golden", "--save"), "results by golden measure no accuracy and are not saved"),
    (("verify", "--golden", "--data", "sample"), "golden.npz has its own images; leave out --golden or --data"),
    (("verify", "--self-test", "--recompute", "x"), "are three questions; ask one at a time"),
    (("verify", "--self-test", "--save"), "--self-test does not go with --save"),
    (("verify", "EMPTY", "--flips", "flips.gif"), "flips.gif: a picture must end in .png or .svg"),
    (("verify", "--recompute", "none.json"), "none.json: no such file"),
    (("verify", "--recompute", "CUT.npz"), "CUT.npz: cannot be read as a parity record"),
    (("verify", "--localize", "EMPTY"), "EMPTY: a folder; name one artifact"),
    (("verify", "--localize", "none.onnx"), "none.onnx: no such file or folder"),
    (("verify", "--localize", "CUT.onnx"), ".: no manifest.json there"),
    (("verify", "EMPTY"), "no manifest.json there or in its subfolders"),
    (("bench", "EMPTY"), "nothing to measure there"),
    (("bench", "none.tflite"), "none.tflite: no such file or folder"),
    (("bench", "CUT.tflite", "--seconds", "0.01"), "CUT.tflite: LiteRT cannot load it"),
    (("bench", "CUT.onnx", "--seconds", "0.01"), "CUT.onnx: ONNX Runtime cannot load it"),
    (("bench", "CUT.tflite", "--threads", "two"), "--threads is 'two'; it must be a whole number"),
    (("bench", "CUT.tflite", "--seconds", "-1"), "the seconds above 0"),
    (("bench", "CUT.tflite", "--processes", "0"), "processes must be at least 1"),
    (("bench", "CUT.tflite", "--rate", "0"), "it must be above 0 images a second"),
    (("bench", "CUT.tflite", "--max-latency", "fast"), "--max-latency is 'fast'; it must be a number and a unit"),
    (("bench", "--compare", "EMPTY", "EMPTY"), "no such file; 'toolkit bench' writes record.json"),
    (("bench", "--plot", "bench.pdf"), "bench.pdf: a picture must end in .png or .svg"),
    (("bench", "--plot", "a.png", "--compare", "EMPTY", "EMPTY"), "--plot draws one record; leave out --compare"),
    (("bench", "--save", "EMPTY"), "a folder; it must be a file"),
    (("bench", "--recompute", "EMPTY"), "no such file; 'toolkit bench' writes record.json"),
    (("predict",), "Missing argument"),
    (("predict", "none.png"), "exported: no artifact there"),
    (("bundle",), "name one model, for example exported/cnn or cnn, or one bundle by --check"),
    (("bundle", "cnn", "--check", "x.zip"), "name one model, for example exported/cnn or cnn, or one bundle"),
    (("bundle", "--check", "x.zip", "--output", "y.zip"), "--check writes nothing; leave out --output"),
    (("bundle", "resnet"), "resnet: no folder of artifacts, no artifact and no model of exported/ (there: none)"),
    (("bundle", "CUT.tflite"), ".: no manifest.json there"),
    (("bundle", "--check", "none.zip"), "none.zip: no such file"),
    (("bundle", "--check", "EMPTY"), "EMPTY: a folder; give a file"),
    (("bundle", "--check", "CUT.tflite"), "CUT.tflite: not a whole archive"),
    (("data", "--fetch"), "--fetch needs the names"),
    (("data", "CUT.npz"), "CUT.npz: cannot be read as a .npz file"),
    (("data", "EMPTY"), "no data set was recognised there"),
    (("doctor", "none"), "none: no such file or folder"),
    (("doctor", "EMPTY"), "no manifest.json there or in its subfolders"),
    (("study", "--model", "vgg"), "unknown model 'vgg'; allowed: cnn, mlp"),
    (("study", "--loss", "mse,mse"), "the values of loss are 'mse', 'mse'; name at least one, and each once"),
    (("study", "--learning-rate", "fast"), "--learning-rate is 'fast'; it must be numbers with commas"),
    (("study", "--epochs", "many"), "--epochs is 'many'; it must be numbers with commas, as in 20,100"),
    (("study", "--learning-rate", ","), "the values of learning_rate are none"),
    (("study", "--jobs", "0"), "the number of jobs is 0; it must be at least 1"),
    (("study", "--device", "tpu"), "unknown device 'tpu'; allowed: auto, gpu, cpu"),
    (("study", "--name", "../x"), "'../x' cannot name a study"),
    (("study", "--data", "nowhere"), "no data source and no path is called 'nowhere'"),
    (("study", "--report"), "no study is there, it has no study.json; 'toolkit study' makes one"),
    (("study", "--report", "--quick"), "leave out --report, or --quick and the axes"),
    (("run", "--model", "vgg"), "unknown model 'vgg'"),
    (("run", "--epochs", "-3"), "at least 1"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_a_mistake_gets_one_clear_line_and_exit_code_2(cli, here, tiny_npz, exported_once, arguments, message):
    (here / "EMPTY").mkdir()
    originals = {"keras": "cnn.keras", "tflite": "cnn-int8.tflite", "onnx": "cnn-int8.onnx", "npz": "golden.npz"}
    for suffix, name in originals.items():
        (here / f"CUT.{suffix}").write_bytes((exported_once / name).read_bytes()[:2000])
    before = sorted(here.rglob("*"))
    code, out, err = cli(*(str(tiny_npz) if argument == "TINY" else argument for argument in arguments))
    assert code == 2
    assert message in err
    assert out == ""
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    assert [path for path in sorted(here.rglob("*")) if "benchmarks" not in str(path)] == before


def test_debug_shows_the_traceback_and_keeps_the_exit_code(cli, here):
    code, _, err = cli("train", "--model", "vgg", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "UsageError: unknown model 'vgg'" in err


def test_a_read_only_folder_is_one_clear_line(cli, here, monkeypatch, tiny_npz):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "runs/x")

    monkeypatch.setattr("toolkit.training.folders.prepare", refuse)
    code, _, err = cli("train", "--data", tiny_npz, "--name", "x", "--epochs", "1")
    assert code == 2
    assert "error: runs/x: Permission denied" in err


def test_a_full_disk_is_one_clear_line_and_keeps_the_last_state(cli, here, monkeypatch, tiny_npz):
    from toolkit.training import checkpoint

    real, calls = checkpoint.save_state, []

    def fill(path, **rest):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(path))
        real(path, **rest)

    monkeypatch.setattr(checkpoint, "save_state", fill)
    code, _, err = cli("train", "--model", "mlp", "--data", tiny_npz, "--name", "x", "--epochs", "3")
    assert code == 2
    assert "No space left on device" in err
    assert len(checkpoint.load_progress(here / "runs" / "x" / "state.npz").history) == 1


def test_ctrl_c_ends_with_130(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.data.load", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, out, err = cli("train", "--name", "x")
    assert (code, out, err) == (130, "", "error: interrupted\n")


def test_a_bug_is_one_line_that_asks_for_a_report(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.data.load", lambda *_, **__: {}["x"])
    code, _, err = cli("train", "--name", "x")
    assert code == 1
    assert "unexpected KeyError: 'x'; please report it" in err


def test_data_lists_every_source(cli, no_mnist):
    code, out, err = cli("data")
    assert (code, err) == (0, "")
    for name in registry.names("toolkit.data"):
        assert name in out
    code, out, _ = cli("data", "--json")
    listed = {result["source"]: result for result in json.loads(out)["results"]}
    assert listed["mnist"]["path"] is None
    assert listed["sample"]["path"].endswith("mnist_5k.csv.gz")


def test_data_checks_a_named_set(cli, tiny_npz):
    code, out, _ = cli("data", tiny_npz, "--json")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert (result["train"], result["test"], result["input_shape"]) == (240, 90, [8, 8, 1])
    code, out, _ = cli("data", tiny_npz)
    assert "240 + 90 images of 8×8×1, 3 classes" in out


def test_data_does_not_download_unasked(cli, no_mnist):
    code, _, err = cli("data", "mnist")
    assert code == 2
    assert "add --fetch" in err


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
    said = "2 of the 90 test images are training images too (rows 5, 7)"
    for arguments in (train, export, verify):
        code, _, err = cli(*arguments)
        assert (code, said in err) == (2, True), err
        code, out, err = cli(*arguments, "--allow-overlap")
        assert code == 0, err
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
    assert cli("verify", "--recompute", folder / "parity.json")[0] == 0


def test_verify_saves_a_record_and_rebuilds_it(cli, exported, tiny_npz):
    code, out, _ = cli("verify", exported, "--data", tiny_npz, "--margin", "5", "--save")
    assert code == 0
    record = exported / "parity.json"
    assert f"record: {record}" in out
    code, out, _ = cli("verify", "--recompute", record)
    assert code == 0
    assert "figures of 6 artifacts from 90 images rebuilt, 0 differences; verdict: pass" in out
    record.write_text(record.read_text().replace('"lost": 0', '"lost": 3', 1))
    code, out, _ = cli("verify", "--recompute", record)
    assert code == 1
    assert "lost is 3, its images say 0" in out
    code, out, _ = cli("verify", "--recompute", record, "--json")
    assert (code, json.loads(out)["verdict"]) == (1, "fail")


def test_verify_draws_the_flips(cli, exported_once, tiny_npz, here):
    code, out, _ = cli("verify", exported_once, "--data", tiny_npz, "--margin", "5", "--flips", "flips.png")
    assert code == 0
    assert "in flips.png" in out
    assert (here / "flips.png").read_bytes()[:4] == b"\x89PNG"


def test_verify_by_golden_answers_both_questions(cli, exported_once):
    code, out, _ = cli("verify", exported_once, "--golden")
    assert code == 0
    assert "flips, Keras" in out
    assert "flips, recorded" in out
    assert "0 LSB" in out
    assert "the digits of golden.npz do not measure accuracy" in out


def test_verify_localizes(cli, exported_once, here):
    code, out, _ = cli("verify", "--localize", exported_once / "cnn-int8.tflite")
    assert code == 0
    assert "conv_1" in out
    assert "XNNPACK runs 7 operators, built-in runs 1 operators" in out
    assert "no layer is damaged" in out
    assert (here / "layers.png").is_file()
    code, out, _ = cli("verify", "--localize", exported_once / "cnn-int8.tflite", "--json")
    assert json.loads(out)["culprit"] is None


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


def test_bench_prints_its_tables(cli, exported_once, here):
    code, out, _ = cli(
        "bench", exported_once / "cnn-int8.tflite", exported_once / "cnn-float32.tflite", "--seconds", "0.1",
        "--processes", "2", "--rate", "100", "--save", "report.json",
    )  # fmt: skip
    assert code == 0
    assert "Latency of one inference, 1 thread, 1 image" in out
    assert "paced median" in out
    assert "speed-up" in out
    assert "baseline" in out
    assert f"ship:  {exported_once}" in out
    (folder,) = (here / "benchmarks").iterdir()
    assert (here / "report.json").read_bytes() == (folder / "record.json").read_bytes()
    code, out, _ = cli("bench", "--recompute", folder, "--plot", "bench.png")
    assert code == 0
    assert "picture: bench.png, latencies alone: no accuracy is known" in out
    assert (here / "bench.png").is_file()
    assert "figures rebuilt from the raw samples, 0 differences" in out
    code, out, _ = cli("bench", "--compare", folder, folder)
    assert code == 0
    assert "0 of 2 are surely more than 5 % slower" in out


def test_bench_says_what_changed_on_the_machine_and_strict_fails(cli, exported_once, here, monkeypatch):
    monkeypatch.setattr("toolkit.bench.conditions.changes", lambda *looks, seconds: ("under-voltage now",))
    quick = ("bench", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1")
    code, _, err = cli(*quick)
    assert code == 0
    assert "under-voltage now in 3 of 3 blocks, which are left in; use a stronger power supply" in err
    assert cli(*quick, "--strict")[0] == 1


def test_bench_with_budgets_that_nothing_fits_fails_and_names_the_nearest(cli, exported_once, here):
    quick = ("bench", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1")
    code, out, _ = cli(*quick, "--max-size", "1kB")
    assert code == 1
    assert "none:  " in out
    assert "nothing fits; the nearest misses size by" in out
    code, out, _ = cli(*quick, "--max-size", "1MB", "--max-latency", "10s")
    assert code == 0
    assert "ship:  " in out


def test_bench_of_a_good_and_a_bad_file_shows_the_good_one(cli, exported_once, here):
    (here / "bad.onnx").write_bytes(b"bad")
    code, out, err = cli(
        "bench", "bad.onnx", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1", "--json"
    )
    assert code == 1
    assert "warning: bad.onnx was not measured: ONNX Runtime cannot load it" in err
    document = json.loads(out)
    assert len(document["results"]) == 1
    assert list(document["failures"]) == ["bad.onnx"]


def test_doctor_shows_what_works_and_fails_where_something_is_broken(cli, exported, monkeypatch):
    monkeypatch.setattr("toolkit.doctor.report.parts", lambda: ("numpy", "litert"))
    code, out, err = cli("doctor", exported)
    assert (code, err) == (0, "")
    assert ", ran a model on CPU" in out
    assert "verdict: ok" in out
    (exported / "cnn-int8.onnx").write_bytes(b"changed")
    code, out, _ = cli("doctor", exported)
    assert code == 1
    assert f"broken: {exported / 'cnn-int8.onnx'}: " in out
    assert "verdict: broken" in out
    code, out, _ = cli("doctor", exported, "--json")
    document = json.loads(out)
    assert (code, document["verdict"]) == (1, "broken")
    assert [part["state"] for part in document["parts"]] == ["ok", "ok"]


def test_a_32_bit_system_is_told_so_by_every_verb(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.host.bits", lambda: 32)
    code, _, err = cli("data")
    assert code == 0
    assert err.startswith("warning: this Python is 32-bit, and LiteRT and ONNX Runtime are built for 64-bit systems")


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


def test_bundle_measures_once_and_its_file_is_checked(cli, exported, here, monkeypatch):
    from toolkit.bench.schedule import Plan

    quick = Plan(seconds=0.01, processes=1)
    monkeypatch.setattr("toolkit.bench.schedule.Plan", lambda: quick)
    found = manifest.read(exported)
    replace(found, artifacts=found.artifacts[-2:]).write()
    code, out, err = cli("bundle", exported, "--json", "--output", "first.zip")
    assert code == 0, err
    assert "no benchmark of these artifacts in benchmarks/ was made here: measuring" in err
    first = json.loads(out)
    assert (first["schema"], first["command"], first["bundle"]) == (1, "bundle", "first.zip")
    assert first["artifact"] in ("cnn-dynamic.tflite", "cnn-int8.tflite")
    assert first["sha256"] == sha256(here / "first.zip")
    code, out, err = cli("bundle", exported, "--output", "second.zip")
    assert (code, err) == (0, "")
    assert f"artifact: {first['artifact']}: the " in out
    assert f"python3 -m zipfile -e second.zip . && python3 {first['folder']}/classify.py" in out
    assert (here / "second.zip").read_bytes() == (here / "first.zip").read_bytes()
    code, out, _ = cli("bundle", "--check", "first.zip")
    assert (code, "5 files, 0 problems; verdict: pass" in out) == (0, True)
    content = (here / "first.zip").read_bytes()
    (here / "first.zip").write_bytes(content.replace(b"import numpy", b"import dumpy"))
    code, out, err = cli("bundle", "--check", "first.zip")
    assert (code, err) == (1, "")
    assert "classify.py: its bytes are damaged" in out
    code, out, _ = cli("bundle", "--check", "first.zip", "--json")
    assert (code, json.loads(out)["verdict"]) == (1, "fail")


def test_bundle_of_an_artifact_that_failed_warns(cli, exported, here):
    found = manifest.read(exported)
    found.with_verified({"cnn-int8.tflite": verification("fail")}).write()
    code, _, err = cli("bundle", exported / "cnn-int8.tflite")
    assert (code, err) == (0, "warning: cnn-int8.tflite failed its verification\n")
    assert [path.name for path in here.iterdir()] == ["cnn-int8-tflite.zip"]


def test_bundle_of_an_artifact_that_answers_otherwise_here_warns(cli, exported, here):
    elsewhere(exported, "cnn-int8.tflite")
    code, _, err = cli("bundle", exported / "cnn-int8.tflite")
    said = "warning: cnn-int8.tflite answers otherwise here than where it was exported: 90 of 90 predictions are not "
    assert (code, err) == (0, f"{said}those of the machine that exported it\n")


def test_bundle_leaves_out_what_answers_otherwise_here(cli, exported, here, monkeypatch):
    """Also what an older benchmark recommends: a runtime may have been replaced since."""
    from toolkit.bench.schedule import Plan

    quick = Plan(seconds=0.01, processes=1)
    monkeypatch.setattr("toolkit.bench.schedule.Plan", lambda: quick)
    found = manifest.read(exported)
    replace(found, artifacts=found.artifacts[-2:]).write()
    first = json.loads(cli("bundle", exported, "--json")[1])["artifact"]
    elsewhere(exported, first)
    code, out, err = cli("bundle", exported, "--json")
    assert code == 0, err
    (other,) = {"cnn-dynamic.tflite", "cnn-int8.tflite"} - {first}
    assert json.loads(out)["artifact"] == other
    assert re.search(rf"{first}, which benchmarks/.* recommends, answers otherwise here by now \(90 of 90", err)
    elsewhere(exported, other)
    code, _, err = cli("bundle", exported)
    assert code == 2
    assert "(nothing to ship: all answer otherwise here than where they were exported" in err.splitlines()[-1]


def test_ctrl_c_while_bundle_measures_ends_with_130_and_no_bundle(cli, exported, here, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.bench.schedule._opened", interrupt)
    code, out, err = cli("bundle", exported)
    assert (code, out, err.splitlines()[-1]) == (130, "", "error: interrupted")
    assert list(here.glob("*.zip")) == []


@pytest.mark.slow
def test_resume_refuses_another_recipe_and_takes_more_epochs(cli, here, tiny_npz):
    assert cli("train", "--data", tiny_npz, "--model", "mlp", "--name", "a", "--epochs", "1")[0] == 0
    code, _, err = cli("train", "--resume", "--name", "a", "--seed", "7")
    assert code == 2
    assert "started with another seed; only --epochs may change" in err
    code, out, _ = cli("train", "--resume", "--name", "a", "--epochs", "2", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["epochs_run"] == 2
    assert document.keys() >= {
        "schema", "command", "run", "model", "parameters", "epochs_run", "best_epoch", "monitor", "best_value",
        "test_accuracy", "checkpoint", "seconds",
    }  # fmt: skip


def test_export_of_a_run_by_name(cli, here, trained_folder, tiny_npz):
    shutil.copytree(trained_folder, here / "runs" / "tiny")
    code, out, err = cli("export", "tiny", "--data", tiny_npz, "--format", "onnx", "--calibration", "20", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["manifest"] == "exported/cnn/manifest.json"
    assert [a["path"] for a in document["artifacts"]] == ["exported/cnn/cnn-float32.onnx", "exported/cnn/cnn-int8.onnx"]
    assert document["artifacts"][0].keys() >= {"path", "format", "quantization", "sha256", "size_bytes"}
    assert (here / "exported" / "cnn" / "loss.png").is_file()


def test_json_is_the_only_thing_on_stdout(cli, here, tiny_npz):
    _, out, _ = cli("train", "--data", tiny_npz, "--model", "mlp", "--epochs", "1", "--json")
    assert np.isfinite(json.loads(out)["test_accuracy"])
