"""What a device without internet is given: the tested files, for the device and not for this machine."""

import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from toolkit import programs
from toolkit.cli import call
from toolkit.errors import DeviceError, UsageError
from toolkit.files import sha256
from toolkit.wheels import folder as wheels
from toolkit.wheels import tested

# Seconds in which a process has surely come as far as it can.
PATIENCE_S = 300
BASE, RUNTIME = "base-1.0-py3-none-any.whl", "runtime-2.0-cp311-cp311-manylinux2014_aarch64.whl"
OTHER = "runtime-2.0-cp311-cp311-manylinux2014_x86_64.whl"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that stands for the package index, of tested wheels that hold their names; and pip's calls."""
    served, calls = tmp_path / "index", []
    served.mkdir()
    for name in (BASE, RUNTIME, OTHER):
        (served / name).write_text(name)
    digests = {wheel.name: sha256(wheel) for wheel in served.iterdir()}

    def run(command, **_):
        folder = Path(command[command.index("--dest") + 1])
        listed = Path(command[-1]).read_text().splitlines()
        calls.append((command, listed))
        for line in listed:
            digest = line.rpartition(":")[2]
            (wheel,) = (name for name, known in digests.items() if known == digest)
            if not (served / wheel).is_file():
                said = f"ERROR: No matching distribution found for {line.partition(' ')[0]}\n"
                return programs.Ended(1, "", said)
            (folder / wheel).write_bytes((served / wheel).read_bytes())
        return programs.Ended(0, "", "")

    monkeypatch.setattr(programs, "run", run)
    monkeypatch.setattr(tested, "digests", lambda: digests)
    return served, calls


def fill(folder):
    return {path.name for path in wheels.fill(folder, python="3.11", arch="aarch64").wheels}


def test_the_tested_wheels_for_the_device_are_downloaded_by_their_digests(index, tmp_path):
    served, calls = index
    names = fill(tmp_path / "wheels")
    assert {name for name in names if not name.startswith("edge_model_toolkit-")} == {BASE, RUNTIME}
    assert {path.name for path in (tmp_path / "wheels").iterdir()} == names
    ((command, listed),) = calls
    assert {"--python-version=3.11", "--platform=manylinux_2_28_aarch64", "--only-binary=:all:"} <= set(command)
    assert "--require-hashes" in command
    assert f"base==1.0 --hash=sha256:{sha256(served / BASE)}" in listed


def test_what_is_there_is_not_downloaded_again_and_what_was_changed_is(index, tmp_path):
    _, calls = index
    fill(tmp_path / "wheels")
    fill(tmp_path / "wheels")
    assert len(calls) == 1
    (tmp_path / "wheels" / BASE).write_bytes(b"half")
    fill(tmp_path / "wheels")
    assert [line.partition(" ")[0] for line in calls[-1][1]] == ["base==1.0"]
    wheels.check(tmp_path / "wheels")


def test_a_wheel_that_is_not_to_be_had_is_named(index, tmp_path):
    served, _ = index
    (served / RUNTIME).unlink()
    with pytest.raises(DeviceError, match=r"Python 3\.11 on aarch64 were to be had: .* found for runtime==2\.0$"):
        fill(tmp_path / "wheels")
    assert not list((tmp_path / "wheels").glob("*"))


@pytest.mark.parametrize(
    ("python", "arch", "said"),
    [
        ("3.11", "armv7l", "--arch is 'armv7l'; LiteRT and ONNX Runtime are built for aarch64, x86_64"),
        ("3.9", "aarch64", r"--python is '3\.9'; allowed: 3\.11, 3\.12, "),
        ("3.11.2", "aarch64", r"--python is '3\.11\.2'"),
        ("", "aarch64", "--python is ''"),
    ],
)
def test_what_no_wheel_is_built_for_is_refused(tmp_path, python, arch, said):
    with pytest.raises(UsageError, match=said):
        wheels.fill(tmp_path / "wheels", python=python, arch=arch)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder_for_wheels(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a folder"):
        wheels.fill(tmp_path / "file", python="3.11", arch="aarch64")


def test_only_the_tested_files_are_taken_along(index, tmp_path, capsys):
    folder = tmp_path / "wheels"
    fill(folder)
    (folder / "stranger-1.0-py3-none-any.whl").write_bytes(b"it is not taken along")
    wheels.check(folder)
    (folder / BASE).write_bytes(b"another")
    artifact = Path(__file__).parents[2] / "exported" / "mlp" / "mlp-int8.tflite"
    assert call(["device", "verify", str(artifact), "--on", "pi", "--wheels", str(folder)]) == 2
    assert f"{BASE}: not the tested file, by its SHA-256; fill the folder with: " in capsys.readouterr().err
    for wheel in (BASE, RUNTIME):
        (folder / wheel).unlink()
    with pytest.raises(UsageError, match="none of the tested wheels is there; fill the folder with: toolkit wheels"):
        wheels.check(folder)


@pytest.mark.slow
def test_the_second_of_two_processes_in_a_folder_says_who_is_at_work_there(tmp_path):
    """The first waits for an index that never answers."""
    command = [sys.executable, "-m", "toolkit", "wheels", str(tmp_path / "wheels")]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        index = {"PIP_INDEX_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/simple", "PIP_CONFIG_FILE": os.devnull}
        index["PIP_DEFAULT_TIMEOUT"] = str(2 * PATIENCE_S)
        nothing = dict.fromkeys(("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"), "")
        environment = {**os.environ, **index, **nothing, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        interruptible = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, preexec_fn=interruptible)
        try:
            connection, _ = silent.accept()
            with connection:
                second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
        finally:
            first.send_signal(signal.SIGINT)
            _, said = first.communicate()
    assert second.returncode == 2
    at_work = f"'toolkit wheels' is at work there (process {first.pid}, since "
    assert second.stderr.startswith(f"error: {tmp_path / 'wheels'}: {at_work}")
    assert second.stderr.endswith("); wait for its end, or choose another folder\n")
    assert (first.returncode, said) == (130, b"error: interrupted\n")


@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_the_wheels_of_a_raspberry_pi_are_to_be_had(tmp_path, python):
    """From the index that pip asks here: of Raspberry Pi OS Bookworm and Trixie."""
    folder, tag = tmp_path / "wheels", f"cp{python.replace('.', '')}"
    assert call(["wheels", "--python", python, "--arch", "aarch64", str(folder)]) == 0
    names = {path.name.partition("-")[0]: path.name for path in folder.iterdir()}
    for name in ("numpy", "ai_edge_litert", "onnxruntime", "pillow"):
        assert f"-{tag}-{tag}-manylinux" in names[name]
        assert names[name].endswith("_aarch64.whl")
    assert {"edge_model_toolkit", "pip", "typer", "rich"} <= names.keys()
    assert not any("x86_64" in name for name in names.values())
