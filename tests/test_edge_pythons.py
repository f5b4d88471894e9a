"""The edge part on each Python that it is for and that is found here, beside the one that runs the tests."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import edge_tests
from tests.installed import ROOT, install
from tests.test_edge_install import SHIPPED, run

RUNNING = f"3.{sys.version_info.minor}"
# What this process runs is tried by all other tests, and installed by those of test_edge_install.py.
OTHERS = [version for version in ("3.11", "3.12", "3.13") if version != RUNNING]
# The whole edge part is tried on the first and the last of them; on those between, what needs the wheels of runtimes.
WHOLE = ("3.11", "3.13")
# What no device needs.
LACKING = {"keras": "absent", "tflm": "absent"}
# Looked up before the tests get a home of their own.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
WORKS = "import sys, venv; print(f'{sys.version_info.major}.{sys.version_info.minor}')"


def find(version: str) -> Path | None:
    """Return a Python of this version that runs: of the PATH, or of pyenv, whose shims on the PATH may lead nowhere."""
    folders = [*map(Path, os.environ["PATH"].split(os.pathsep)), *sorted(PYENV.glob(f"{version}.*/bin"))]
    for python in (folder / f"python{version}" for folder in folders):
        if python.is_file():
            tried = subprocess.run([python, "-c", WORKS], capture_output=True, text=True, check=False)
            if tried.stdout.strip() == version:
                return python
    return None


def stub(folder: Path, script: str) -> None:
    folder.mkdir(parents=True)
    (folder / "python3.99").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "python3.99").chmod(0o755)


def test_a_python_that_does_not_run_or_is_another_one_is_passed_over(tmp_path, monkeypatch):
    for name, script in (("shim", "exit 127"), ("lies", "echo 3.11"), ("venvless", "echo 3.99 >&2; exit 1")):
        stub(tmp_path / name, script)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / name) for name in ("none", "shim", "lies", "venvless")))
    monkeypatch.setattr("tests.test_edge_pythons.PYENV", tmp_path / "versions")
    assert find("3.99") is None
    stub(tmp_path / "versions" / "3.99.1" / "bin", "echo 3.99")
    assert find("3.99") == tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"


@pytest.mark.slow
@pytest.mark.parametrize("version", OTHERS)
def test_the_edge_part_works_and_its_tests_pass(version, wheel, tmp_path):
    python = find(version)
    if python is None:
        pytest.skip(f"no python{version} that runs and makes environments, on the PATH or in {PYENV}")
    home = tmp_path / "home"
    home.mkdir()
    toolkit = install(tmp_path / "env", wheel, "edge", "pytest", python=python)

    artifacts = (SHIPPED / "mlp-int8.tflite", SHIPPED / "mlp-int8.onnx")  # `verify` below runs all
    checked = run(toolkit, "doctor", *artifacts, "--json", home=home)
    document = json.loads(checked.stdout)
    assert checked.returncode == 0, checked.stdout
    assert document["host"]["python"].startswith(f"{version}.")
    assert {part["name"]: part["state"] for part in document["parts"] if part["state"] != "ok"} == LACKING
    assert document["tested_otherwise"] == {}

    verified = run(toolkit, "verify", "--golden", ROOT / "exported", home=home)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "verdict: pass" in verified.stdout
    assert list(home.rglob("*")) == []

    paths = edge_tests.PATHS if version in WHOLE else edge_tests.KERNELS
    command = [toolkit.with_name("python"), "-m", *edge_tests.PYTEST, "--basetemp", tmp_path / "run", *paths]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home)}
    tested = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert re.match(edge_tests.PASSED, tested.stdout.splitlines()[-1]), tested.stdout
