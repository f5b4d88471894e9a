import subprocess
import sys
from pathlib import Path

import pytest

from tests.cpus import x86


@pytest.fixture
def environment(tmp_path, monkeypatch) -> Path:
    """Stand in for this checkout's environment."""
    packages = tmp_path / "environment" / "lib" / "python3.11" / "site-packages"
    for name in ("numpy", "tensorflow", "tensorflow-2.dist-info", "keras"):
        (packages / name).mkdir(parents=True)
        (packages / name / "file").touch()
    (tmp_path / "environment" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    return packages


def links(python: Path) -> set[str]:
    """Return the packages that the Python of a CPU has."""
    (folder,) = python.parents[1].glob("lib/python3.*/site-packages")
    return {package.name for package in folder.iterdir()}


def test_a_cpu_has_the_packages_of_the_environment_without_tensorflow(environment):
    pythons = x86.build()
    assert pythons.keys() == {"Nehalem", "Haswell"}
    assert [links(python) for python in pythons.values()] == [{"numpy"}] * 2


def test_what_is_installed_later_is_there_after_the_next_build_and_nothing_is_lost(environment):
    x86.build()
    (environment / "onnxruntime").mkdir()
    (environment / "numpy").rename(environment / "numpy2")
    assert links(x86.build()["Haswell"]) == {"onnxruntime", "numpy2"}
    assert (environment / "numpy2" / "file").exists()


def test_the_python_of_a_guest_starts_qemu_as_that_cpu_with_its_cpuinfo(environment, tmp_path, monkeypatch):
    python = x86.build()["Nehalem"]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "qemu-x86_64").write_text('#!/bin/sh\nprintf "%s\\n" "$OPENBLAS_CORETYPE" "$@"\n')
    (tmp_path / "bin" / "qemu-x86_64").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    said = subprocess.run([python, "-m", "toolkit"], check=True, capture_output=True, text=True).stdout.splitlines()
    root = python.parents[1] / "root"
    real = str(Path(sys.executable).resolve())
    assert said == ["", "-cpu", "Nehalem,check=off", "-L", str(root), "-0", str(python), real, "-m", "toolkit"]
    assert "(Nehalem)" in (root / "proc" / "cpuinfo").read_text()
