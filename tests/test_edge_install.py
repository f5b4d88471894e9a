"""What `make dist` builds, installed for a device into an empty environment."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.benchmarks import edge_footprint
from tests.installed import ROOT, build, install

SHIPPED = ROOT / "exported" / "mlp"
# What docs/measurements.md and docs/raspberry-pi.md promise of the disk, without pip; measured: 237 and 141 MB.
MOST_ON_DISK_BYTES = {"edge": 250e6, "litert": 150e6}
# Peak of the resident set, pages of libraries included; measured: 91 MB.
MOST_BYTES = 94e6
NEVER = {"tensorflow", "keras", "scipy", "matplotlib", "onnx", "mlxtend", "pooch"}
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

pytestmark = pytest.mark.slow


def packages_of(toolkit):
    (packages,) = (toolkit.parents[1] / "lib").glob("python*/site-packages")
    return packages


def run(device, *arguments, home):
    """Run the installed toolkit, in a home of its own and without what this process would hand on."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    command = [str(device), *map(str, arguments)]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def test_the_tested_versions_travel_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("toolkit/constraints.txt") == (ROOT / "constraints.txt").read_bytes()
        assert "toolkit/wheels/SHA256SUMS" in archive.namelist()
        assert {name.partition("/")[0] for name in archive.namelist() if ".dist-info" not in name} == {"toolkit"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The source archive, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    # By tar: Python 3.11.2, that of Debian 12, cannot be told which members to trust, and newer ones ask to be told.
    subprocess.run(["tar", "--extract", "--file", build("sdist", folder / "sdist")], cwd=folder, check=True)
    (unpacked,) = folder.glob("edge_model_toolkit-*")
    return unpacked


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_the_source_archive_has_every_file_of_the_checkout(source):
    """Its tests read most of them."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert [name for name in tracked if not (source / name).is_file()] == []


def test_a_wheel_is_built_from_the_source_archive(source):
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, check=True)
    (built,) = (source / "dist").iterdir()
    assert "toolkit/constraints.txt" in zipfile.ZipFile(built).namelist()


def test_the_edge_part_installs_without_anything_of_training(device):
    names = {path.name for path in packages_of(device).iterdir()}
    assert {"toolkit", "numpy", "ai_edge_litert", "onnxruntime", "PIL"} <= names
    assert not names & NEVER


@pytest.mark.parametrize("extra", MOST_ON_DISK_BYTES)
def test_an_installed_extra_takes_no_more_of_the_disk_than_is_promised(device, wheel, tmp_path, extra):
    """What pip puts there, and what Python adds when it runs for the first time."""
    toolkit = device if extra == "edge" else install(tmp_path / "env", wheel, extra)
    assert run(toolkit, "doctor", SHIPPED, home=tmp_path).returncode == 0
    assert run(toolkit, "verify", "--golden", SHIPPED / "mlp-int8.tflite", home=tmp_path).returncode == 0
    assert edge_footprint.size_bytes(packages_of(toolkit)) <= MOST_ON_DISK_BYTES[extra]


def test_doctor_finds_nothing_to_mend_on_the_device(device, tmp_path):
    done = run(device, "doctor", SHIPPED, "--json", home=tmp_path)
    document = json.loads(done.stdout)
    states = {part["name"]: part["state"] for part in document["parts"]}
    assert done.returncode == 0, done.stdout
    assert states == {
        "numpy": "ok",
        "pillow": "ok",
        "litert": "ok",
        "onnxruntime": "ok",
        "tflm": "absent",
        "keras": "absent",
    }
    assert document["tested_otherwise"] == {}


@pytest.mark.parametrize("artifact", ["mlp-int8.tflite", "mlp-int8.onnx"])
def test_an_artifact_is_verified_on_the_device_and_nothing_is_written_there(device, tmp_path, artifact):
    """ONNX Runtime's telemetry would leave files in the home."""
    done = run(device, "verify", "--golden", SHIPPED / artifact, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "verdict: pass" in done.stdout
    assert list(tmp_path.rglob("*")) == []


def test_verifying_an_artifact_takes_little_memory(device, tmp_path):
    """Of the shipped ones the CNN in float32 on ONNX Runtime takes most."""
    command = (device, "verify", "--golden", ROOT / "exported" / "cnn" / "cnn-float32.onnx")
    assert run(*command, home=tmp_path).returncode == 0  # the first time, Python compiles the modules
    edge_footprint.forget(device.parents[1])
    # A peak includes that of the process which it was forked from: of a small one, not of pytest.
    peak = run(device.with_name("python"), "-c", PEAK, *command, home=tmp_path)
    assert int(peak.stdout) * 1024 <= MOST_BYTES


def test_on_a_32_bit_python_the_build_ends_in_one_sentence(tmp_path):
    code = "import struct; struct.calcsize = lambda kind: 4; from hatchling.build import build_wheel; build_wheel('.')"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("'.'", repr(str(tmp_path)))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("toolkit cannot be installed: this Python is 32-bit, and LiteRT and ONNX Runtime")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
