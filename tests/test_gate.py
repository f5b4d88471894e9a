"""The gate, ``.ci/run``, where programs are missing that some tests need."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Programs of the gate that only note how they were called: here nothing can be installed, and nobody is root.
STUBS = {"make": 'echo "make $1"', "apt-get": "exit 100", "id": "echo 0"}


def test_a_package_that_cannot_be_had_does_not_end_the_gate(tmp_path):
    for name, what in STUBS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{what}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    command = ["/bin/bash", str(ROOT / ".ci" / "run")]
    environment = {"PATH": str(tmp_path), "TOOLKIT_DATA_DIR": "none"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert said[0] == "the lists of packages could not be fetched"
    for package in ("gcc", "qemu-user"):
        assert f"NOT INSTALLED: {package} cannot be had here; the tests that need it are skipped, and say so" in said
    assert [line for line in said if line.startswith("make ")] == ["make check", "make site", "make test"]
    assert said[-1].startswith("SKIPPED: make test-cpus (qemu-user is not installed")
