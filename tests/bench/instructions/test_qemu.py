"""Counting under qemu-user: what is started and what is lacking, with made-up programs."""

import platform
import shutil
import sys
from pathlib import Path

import pytest

from toolkit.bench.instructions import qemu
from toolkit.bench.instructions.cpus import CPUS
from toolkit.errors import UsageError

HERE, ELSEWHERE = "Haswell", "cortex-a72"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of a machine for x86-64 that has all programs, and a plugin."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(qemu, "plugin", lambda: tmp_path / "a,b.so")
    return tmp_path / "edge-model-toolkit"


def test_a_cpu_of_this_architecture_runs_this_python_with_its_own_cpuinfo(cache, tmp_path):
    file = tmp_path / "count"
    environment, _, program = " ".join(qemu.python(HERE, file)).partition(" qemu-x86_64 ")
    assert environment.startswith("env --unset=OPENBLAS_CORETYPE --unset=OPENBLAS_L2_SIZE QEMU_CPU=Haswell ")
    assert f"QEMU_PLUGIN={tmp_path}/a,,b.so,count={file} PYTHONHASHSEED=0" in environment
    root = cache / "instructions" / HERE
    assert program == f"-cpu Haswell,check=off -L {root} -0 {sys.executable} {Path(sys.executable).resolve()}"
    assert (root / "proc" / "cpuinfo").read_text() == CPUS[HERE].cpuinfo_text()
    assert qemu.counter(file)() == 0
    file.write_bytes((12345).to_bytes(8, sys.byteorder))
    assert qemu.counter(file)() == 12345


def test_a_cpu_of_another_architecture_needs_a_python_of_its_own(cache, tmp_path):
    assert qemu.lacking(HERE) is None
    assert qemu.lacking(ELSEWHERE).startswith("there is no Python for aarch64 here; in a checkout")
    guest = cache / "arm64" / "venv" / "bin" / "python"
    guest.parent.mkdir(parents=True)
    guest.touch()
    assert qemu.lacking(ELSEWHERE) is None
    command = qemu.python(ELSEWHERE, tmp_path / "count")
    assert command[-1] == str(guest)
    assert f"QEMU_CPU={ELSEWHERE}" in command


@pytest.mark.parametrize(("missing", "named"), [("qemu-x86_64", "qemu-x86_64"), ("cc", "gcc")])
def test_what_is_not_installed_is_named_with_what_installs_it(cache, monkeypatch, missing, named):
    monkeypatch.setattr(shutil, "which", lambda name: None if missing in name else name)
    assert qemu.lacking(HERE) == f"{named} is not installed; install it with: apt-get install qemu-user gcc libc6-dev"


@pytest.mark.parametrize(
    ("machine", "usual"), [("x86_64", "Haswell"), ("aarch64", "cortex-a76"), ("riscv64", "Haswell")]
)
def test_the_usual_cpu_is_one_of_this_architecture(monkeypatch, machine, usual):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert qemu.usual() == usual


def test_a_compiler_that_fails_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiler = tmp_path / "gcc"
    compiler.write_text("#!/bin/sh\necho 'plugin.c:7: stdio.h: no such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(compiler))
    with pytest.raises(UsageError, match=r"plugin\.c cannot be compiled by .*gcc: plugin\.c:7: stdio\.h"):
        qemu.plugin()
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ntouch "$2"\n')
    assert qemu.plugin().exists()
    compiler.unlink()
    assert qemu.plugin().exists()  # it is compiled once
