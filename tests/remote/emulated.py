"""A device that is an emulated Raspberry Pi: an SSH login whose Python is that of the arm64 user-space.

Run by name, as the other emulated tests are: ``pytest tests/remote/emulated.py``.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cpus import userspace
from tests.remote.test_devices import ONE

# Before any test, since they change where the user's cache is.
GUEST = userspace.build()
CPU = "cortex-a76"


@pytest.fixture(scope="module")
def pi(server, tmp_path_factory):
    path = f"{GUEST.folder / 'root' / 'usr' / 'bin'}:/usr/bin:/bin"
    return server.login("pi", tmp_path_factory.mktemp("pi"), path=path, QEMU_CPU=CPU, PIP_CONFIG_FILE=os.devnull)


def test_a_device_without_internet_is_given_its_packages_and_verifies(toolkit, pi, tmp_path):
    wheels = shutil.copytree(GUEST.folder / "wheels", tmp_path / "wheels")
    code, document, err = toolkit("device", "verify", ONE, "--on", "pi", "--wheels", wheels, "--json")
    assert code == 0, err
    assert err[-1] == "pi: making an environment, once (Python 3.11.2 on aarch64)"
    assert (document["device"], document["verdict"]) == ("pi", "pass")


def test_a_benchmark_there_says_that_it_is_emulated_and_gives_no_latency(toolkit, pi):
    planned = ("--processes", "1", "--seconds", "0.05")
    code, document, err = toolkit("device", "bench", ONE, "--on", "pi", *planned, "--json")
    assert code == 0, err
    host = document["host"]
    assert (host["arch"], host["emulated"], host["cpu"]) == ("aarch64", True, "Cortex-A76")
    assert document["results"][0]["median_s"] is None
    (path,) = Path("benchmarks").glob("*/record.json")
    assert json.loads(path.read_text())["host"] == host
    assert pi.processes_after(10) == []
