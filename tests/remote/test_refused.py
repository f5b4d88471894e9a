"""Devices that cannot be used: one line says which, why, and what to do."""

import hashlib
import os
import subprocess
import sys

import pytest

from tests.remote.test_devices import ONE, SHIPPED
from toolkit.wheels import tested

pytestmark = pytest.mark.slow


def fake_python(folder, body):
    """A python3 that is not like this one."""
    folder.mkdir()
    python = folder / "python3"
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    return str(folder)


ALTERED = 'exec {python} -c "{before}; import sys; exec(sys.argv[1])" "$2"'


@pytest.mark.parametrize(
    ("name", "before", "said"),
    [
        ("old", "import sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (x)'", "it has Python 3.9.2; toolkit "
         "needs 3.11 or newer: install a newer system"),
        ("32-bit", "import struct; struct.calcsize = lambda kind: 4", "this Python is 32-bit, and LiteRT and ONNX "
         "Runtime are built for 64-bit systems only; install the 64-bit Raspberry Pi OS ('getconf LONG_BIT' prints 64 "
         "there)"),
        ("no-venv", "import importlib.util as u; u.find_spec = lambda name: None", "its Python makes no environments; "
         "install: sudo apt install python3-venv"),
    ],
)  # fmt: skip
def test_a_python_that_does_not_do_is_named(toolkit, server, tmp_path, name, before, said):
    path = fake_python(tmp_path / "bin", ALTERED.format(python=sys.executable, before=before))
    server.login(name, tmp_path / "home", path=f"{path}:/usr/bin:/bin")
    assert toolkit("device", "bench", ONE, "--on", name)[::2] == (2, [f"error: {name}: {said}"])
    assert list((tmp_path / "home").iterdir()) == []


def test_a_device_without_python_is_named(toolkit, server, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    server.login("bare", tmp_path / "home", path=str(tmp_path / "bin"))
    assert toolkit("device", "verify", ONE, "--on", "bare")[::2] == (
        2,
        ["error: bare: it has no python3; install it with: sudo apt install python3 python3-venv"],
    )


def test_a_host_that_is_not_reached_is_named(toolkit, server):
    assert toolkit("device", "bench", ONE, "--on", "no-such-host.invalid")[::2] == (
        2,
        ["error: no-such-host.invalid: no host of that name is known here; check the name, or give its address"],
    )


def test_a_key_that_is_not_let_in_is_named(toolkit, server):
    stranger = server.folder / "stranger.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    server.configure("stranger", key=stranger)
    said = (
        "error: stranger: it does not let you in without a password; give it your key once with: ssh-copy-id stranger"
    )
    assert toolkit("device", "bench", ONE, "--on", "stranger")[::2] == (2, [said])


def test_a_host_key_that_is_unknown_or_wrong_is_refused_and_not_learned(toolkit, server, one_device):
    server.configure("unknown", key=server.folder / "device.key", known="nobody")
    code, _, err = toolkit("device", "bench", ONE, "--on", "unknown")
    assert (code, err) == (
        2,
        ["error: unknown: its host key is not known here; look at it and accept it once with: ssh unknown"],
    )
    assert not (server.folder / "nobody").exists()
    other = (server.folder / "device.key.pub").read_text().split()[1]
    (server.folder / "changed").write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {other}\n")
    server.configure("changed", key=server.folder / "device.key", known="changed")
    code, _, err = toolkit("device", "bench", ONE, "--on", "changed")
    assert code == 2
    assert err[0].startswith("error: changed: its host key is not the one that known_hosts has of it: another device")
    assert len(err) == 1


def test_a_full_disk_is_named(toolkit, server, tmp_path):
    mount = ["unshare", "--mount", "--map-root-user"] if os.geteuid() else ["unshare", "--mount"]
    home = tmp_path / "home"
    script = f"mount -t tmpfs -o size=100k none {home}"
    home.mkdir()
    if subprocess.run([*mount, "sh", "-c", script], capture_output=True).returncode != 0:
        pytest.skip("no small file system can be mounted here")
    start = tmp_path / "start"
    start.write_text(f'#!/bin/sh\n{script}; cd {home}; exec "$@"\n')
    start.chmod(0o755)
    server.login("full", home, start=f"{' '.join(mount)} {start}")
    code, _, err = toolkit("device", "bench", SHIPPED, "--on", "full")
    assert (code, err[-1].partition(" (")[0]) == (2, "error: full: its disk is full")
    assert err[-1].endswith(" kB free); an environment takes about 300 MB") or "(0 B free)" in err[-1]


def test_without_a_package_index_it_names_the_way_without_one(toolkit, server, tmp_path, monkeypatch):
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:1/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
    }
    server.login("offline", tmp_path / "home", **nowhere, PIP_EXTRA_INDEX_URL="")
    code, _, err = toolkit("device", "bench", ONE, "--on", "offline")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    fill = f"toolkit wheels --python {python} --arch {os.uname().machine}"
    assert code == 2
    assert err[-1] == (
        f"error: offline: no package index can be reached from it; take the packages along: {fill} FOLDER, "
        "then --wheels FOLDER"
    )
    (tmp_path / "wheels").mkdir()
    one, other = (f"{name}-1.0-py3-none-any.whl" for name in ("one", "other"))
    (tmp_path / "wheels" / one).write_bytes(b"")
    monkeypatch.setattr(tested, "digests", lambda: dict.fromkeys((one, other), hashlib.sha256().hexdigest()))
    code, _, err = toolkit("device", "bench", ONE, "--on", "offline", "--wheels", tmp_path / "wheels")
    assert (code, err[-1]) == (
        2,
        f"error: offline: {tmp_path / 'wheels'} lacks {other} for it; fill it with: {fill} {tmp_path / 'wheels'}",
    )
