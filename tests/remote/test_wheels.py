"""What a device without internet is given, judged for the device and not for this machine."""

import os
import signal
import socket
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

from toolkit.cli import call
from toolkit.errors import DeviceError, UsageError
from toolkit.files import sha256, sums
from toolkit.remote import wheels

# Seconds in which a process has surely come as far as it can.
PATIENCE_S = 300


def wheel(folder, name, *requirements):
    """Write a wheel of which only the requirements are looked at."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        lines = [f"Requires-Dist: {requirement}" for requirement in requirements]
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join([f"Name: {name}", *lines, "", "About it."]))
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index by name of what each requires, in place of pip; returns it with the calls."""
    known, calls = {"pip": ()}, []

    def run(command, **_):
        folder, names = command[command.index("--dest") + 1], command[command.index("--dest") + 2 :]
        calls.append(command)
        if unknown := [name for name in names if name not in known]:
            said = f"ERROR: No matching distribution found for {unknown[0]}\n"
            return subprocess.CompletedProcess(command, 1, "", said)
        said = "".join(f"Saved {wheel(type(tmp_path)(folder), name, *known[name])}\n" for name in names)
        return subprocess.CompletedProcess(command, 0, said, "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(wheels, "build_wheel", lambda folder: wheel(folder, "own", *known["own"]))
    return known, calls


def test_markers_are_judged_for_the_device(index, tmp_path):
    known, _ = index
    known["own"] = ("base", "runtime ; platform_machine == 'aarch64' and extra == 'edge'", "gone ; extra == 'train'")
    known["base"] = ("backport ; python_version < '3.12'", "colour ; platform_system == 'Windows'", "part[more]")
    known["runtime"], known["backport"], known["extra"] = (), (), ("base",)
    known["part"] = ("extra ; extra == 'more'", "never ; extra == 'less'")
    names = ["backport", "base", "extra", "own", "part", "pip", "runtime"]
    found = wheels.fill(tmp_path / "on a device", python="3.11", arch="aarch64")
    assert [path.name.partition("-")[0] for path in found] == names
    found = wheels.fill(tmp_path / "other", python="3.13", arch="x86_64")
    assert [path.name.partition("-")[0] for path in found] == ["base", "extra", "own", "part", "pip"]
    assert all(path.is_file() for path in found)


def test_a_wheel_that_is_not_to_be_had_is_named(index, tmp_path):
    known, calls = index
    known["own"] = ("nothing",)
    with pytest.raises(DeviceError, match=r"Python 3\.11 on aarch64 were to be had: .* found for nothing"):
        wheels.fill(tmp_path / "wheels", python="3.11", arch="aarch64")
    assert {"--python-version=3.11", "--platform=manylinux_2_28_aarch64", "--only-binary=:all:"} <= set(calls[-1])


def test_what_pip_had_written_of_a_wheel_when_it_was_killed_is_not_taken_for_one(index, tmp_path):
    known, calls = index
    known["own"], known["base"], known["other"] = ("base", "other"), (), ()
    folder = tmp_path / "wheels"
    folder.mkdir()
    whole = wheel(folder, "other").read_bytes()
    (folder / "base-1.0-py3-none-any.whl").write_bytes(whole[:100])
    wheels.fill(folder, python="3.11", arch="aarch64")
    assert zipfile.is_zipfile(folder / "base-1.0-py3-none-any.whl")
    assert not any(str(folder) in command for command in calls)
    assert not any(path.is_symlink() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("python", "arch", "said"),
    [
        ("3.11", "armv7l", "--arch is 'armv7l'; LiteRT and ONNX Runtime are built for aarch64, x86_64"),
        ("3.9", "aarch64", "--python is '3.9'; give the first two numbers that the device has, 3.11 or newer"),
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


def test_only_wheels_as_they_were_downloaded_are_taken_along(index, tmp_path, capsys):
    known, _ = index
    known["own"], known["base"] = ("base",), ()
    folder = tmp_path / "wheels"
    for python in ("3.11", "3.13"):
        wheels.fill(folder, python=python, arch="aarch64")
    wheels.check(folder)
    assert sums.read(folder) == {path.name: sha256(path) for path in folder.glob("*.whl")}
    (folder / "base-1.0-py3-none-any.whl").write_bytes(b"another")
    artifact = Path(__file__).parents[2] / "exported" / "mlp" / "mlp-int8.tflite"
    assert call(["verify", str(artifact), "--on", "pi", "--wheels", str(folder)]) == 2
    assert "base-1.0-py3-none-any.whl: not as 'toolkit wheels' left it, by its SHA-256" in capsys.readouterr().err
    (folder / "base-1.0-py3-none-any.whl").unlink()
    wheels.check(folder)
    wheel(folder, "stranger")
    with pytest.raises(UsageError, match=r"stranger-1\.0-py3-none-any\.whl: not as 'toolkit wheels' left it"):
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
