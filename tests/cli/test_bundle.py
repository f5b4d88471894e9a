"""``toolkit bundle``."""

import json
import re
from dataclasses import replace

import pytest

from tests.conftest import verification
from tests.elsewhere import elsewhere
from toolkit import manifest
from toolkit.files import sha256

MISTAKES = [
    (("bundle",), "Missing argument 'model'"),
    (("check-bundle",), "Missing argument 'bundle'"),
    (("bundle", "resnet"), "resnet: no folder of artifacts, no artifact and no model of exported/ (there: none)"),
    (("bundle", "CUT.tflite"), ".: no manifest.json there"),
    (("check-bundle", "none.zip"), "none.zip: no such file"),
    (("check-bundle", "EMPTY"), "EMPTY: a folder; give a file"),
    (("check-bundle", "CUT.tflite"), "CUT.tflite: not a whole archive"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.slow
def test_bundle_measures_once_and_its_file_is_checked(cli, exported, here, monkeypatch):
    from toolkit.bench.plan import Plan

    quick = Plan(seconds=0.01, processes=1)
    monkeypatch.setattr("toolkit.bench.plan.Plan", lambda: quick)
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
    code, out, _ = cli("check-bundle", "first.zip")
    assert (code, "5 files, 0 problems; verdict: pass" in out) == (0, True)
    content = (here / "first.zip").read_bytes()
    (here / "first.zip").write_bytes(content.replace(b"import numpy", b"import dumpy"))
    code, out, err = cli("check-bundle", "first.zip")
    assert (code, err) == (1, "")
    assert "classify.py: its bytes are damaged" in out
    code, out, _ = cli("check-bundle", "first.zip", "--json")
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
    said = "warning: cnn-int8.tflite answers differently here than its golden says: 90 of 90 predictions are not "
    assert (code, err) == (0, f"{said}those of the machine that exported it\n")


@pytest.mark.slow
def test_bundle_leaves_out_what_answers_otherwise_here(cli, exported, here, monkeypatch):
    """Also what an older benchmark recommends: a runtime may have been replaced since."""
    from toolkit.bench.plan import Plan

    quick = Plan(seconds=0.01, processes=1)
    monkeypatch.setattr("toolkit.bench.plan.Plan", lambda: quick)
    found = manifest.read(exported)
    replace(found, artifacts=found.artifacts[-2:]).write()
    first = json.loads(cli("bundle", exported, "--json")[1])["artifact"]
    elsewhere(exported, first)
    code, out, err = cli("bundle", exported, "--json")
    assert code == 0, err
    (other,) = {"cnn-dynamic.tflite", "cnn-int8.tflite"} - {first}
    assert json.loads(out)["artifact"] == other
    assert re.search(rf"{first}, which benchmarks/.* recommends, answers differently here by now \(90 of 90", err)
    elsewhere(exported, other)
    code, _, err = cli("bundle", exported)
    assert code == 2
    assert "(nothing to ship: all answer differently here than their goldens say" in err.splitlines()[-1]


def test_ctrl_c_while_bundle_measures_ends_with_130_and_no_bundle(cli, exported, here, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.bench.schedule._Benchmark.measure_round", interrupt)
    code, out, err = cli("bundle", exported)
    assert (code, out, err.splitlines()[-1]) == (130, "", "error: interrupted")
    assert list(here.glob("*.zip")) == []
