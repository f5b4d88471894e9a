"""The gate, ``.ci/run``, where programs are missing that some tests need."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Programs of the gate that only note how they were called: here nothing can be installed, and nobody is root.
STUBS = {"make": 'echo "make $1"', "apt-get": "exit 100", "id": "echo 0"}


def gate(folder, **stubs):
    """Run the gate where there are these programs, a few of the system, and no others."""
    for name, what in {**STUBS, **stubs}.items():
        (folder / name).write_text(f"#!/bin/sh\n{what}\n")
        (folder / name).chmod(0o755)
    for name in ("dirname", "mktemp", "cat", "rm"):
        (folder / name).symlink_to(shutil.which(name))
    command = ["/bin/bash", str(ROOT / ".ci" / "run")]
    environment = {"PATH": str(folder), "TOOLKIT_DATA_DIR": "none"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def made(done):
    return [line.removeprefix("make ") for line in done.stdout.splitlines() if line.startswith("make ")]


def test_a_package_that_cannot_be_had_does_not_end_the_gate(tmp_path):
    done = gate(tmp_path)
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert said[0] == "the lists of packages could not be fetched"
    for package in ("gcc", "qemu-user", "chromium"):
        assert f"NOT INSTALLED: {package} cannot be had here; the tests that need it are skipped, and say so" in said
    assert made(done) == [".venv/.installed", "check", "site", "test"]
    assert said[-1].startswith("SKIPPED: make test-cpus (qemu-user is not installed")


def test_a_site_that_cannot_be_built_ends_the_gate_though_the_checks_beside_it_pass(tmp_path):
    done = gate(tmp_path, make='echo "make $1"; [ "$1" != site ]')
    assert done.returncode == 1
    assert made(done) == [".venv/.installed", "check", "site"]


def test_the_emulated_tests_run_beside_the_others_and_either_can_fail_the_gate(tmp_path):
    for failing in ("test", "test-cpus"):
        folder = tmp_path / failing
        folder.mkdir()
        done = gate(folder, make=f'echo "make $1"; [ "$1" != {failing} ]', **{"qemu-aarch64": ""})
        assert done.returncode == 1
        assert made(done) == [".venv/.installed", "check", "site", "test", "test-cpus"]
