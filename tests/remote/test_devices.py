"""Devices over SSH, for real: an sshd on the loopback address whose logins are devices, good ones and bad ones."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from toolkit.bench import record
from toolkit.files import sha256
from toolkit.remote import ssh
from toolkit.wheels import tested

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "exported" / "mlp"
ONE = SHIPPED / "mlp-int8.tflite"
# The longest that a test waits for what another process is about to do, in seconds; making an environment takes most.
PATIENCE_S = 300
QUICK = ("--processes", "2", "--seconds", "0.05")
# As long as a test may take: rounds of a benchmark that is cut off.
LONG = ("--processes", "40", "--seconds", "0.4")

pytestmark = pytest.mark.slow


def records(folder=Path()):
    return sorted(folder.glob("benchmarks/*/record.json"))


def when(happened, do):
    """Do something in the background as soon as something has happened."""

    def wait():
        deadline = time.monotonic() + PATIENCE_S
        while not happened() and time.monotonic() < deadline:
            time.sleep(0.02)
        do()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_benchmark_runs_there_and_its_record_is_like_one_of_here(toolkit, device):
    code, document, err = toolkit("bench", SHIPPED, "--on", "device", *QUICK, "--json")
    assert code == 0, err
    assert (document["device"], document["command"], len(document["results"])) == ("device", "bench", 6)
    assert {Path(result["artifact"]).parent for result in document["results"]} == {SHIPPED}
    assert document["host"]["python"] == sys.version.split()[0]
    (path,) = records()
    saved = json.loads(path.read_text())
    assert {key: value for key, value in document.items() if key != "device"} == saved
    assert toolkit("record", "check", path.parent)[0] == 0
    code, out, _ = toolkit("compare", path.parent, path.parent)
    assert (code, "0 of 6 are more than 5 % slower" in out) == (0, True)
    assert device.processes_after(PATIENCE_S) == []


def test_nothing_is_copied_or_made_twice_and_nothing_is_left(toolkit, device):
    toolkit("bench", ONE, "--on", "device", *QUICK)
    code, _, err = toolkit("bench", ONE, "--on", "device", *QUICK)
    assert code == 0
    assert [line for line in err if "copying" in line or "making" in line] == []
    cache = device.home / ".cache" / "edge-model-toolkit" / "remote"
    assert {path.name for path in cache.iterdir()} == {"blobs", "environments", "lock"}
    assert all(blob.name == sha256(blob) for blob in (cache / "blobs").iterdir())
    assert len(list((cache / "environments").iterdir())) == 1


def test_verify_compares_by_golden_there(toolkit, device):
    code, out, _ = toolkit("verify", SHIPPED, "--on", "device")
    assert (code, out.count("  pass"), "verdict: pass" in out) == (0, 6, True)
    code, document, _ = toolkit("verify", ONE, "--on", "device", "--json")
    assert (code, document["device"], document["verdict"]) == (0, "device", "pass")
    (result,) = document["results"]
    assert (result["artifact"], result["n"], result["recorded_flips"]) == (str(ONE), 500, 0)


def test_an_artifact_that_differs_there_fails_by_its_name_here(toolkit, device, exported):
    (exported / "cnn-int8.tflite").write_bytes(b"changed")
    code, out, _ = toolkit("verify", exported, "--on", "device")
    assert code == 1
    assert f"{exported / 'cnn-int8.tflite'}: changed since it was exported" in out


def test_several_devices_are_measured_side_by_side_and_one_that_is_lost_leaves_the_others(toolkit, server, device):
    server.configure("off", key=server.folder / "device.key", port=1)
    code, document, _ = toolkit("bench", ONE, "--on", "device", "--on", "off", *QUICK, "--json")
    assert code == 2
    good, bad = document["devices"]
    assert (good["device"], len(good["results"]), bad["device"]) == ("device", 1, "off")
    assert bad["error"] == "off: no SSH server answers there; on a Raspberry Pi switch it on with: sudo raspi-config"
    assert len(records()) == 1


def test_two_devices_have_a_column_each(toolkit, server, device, tmp_path):
    """The second name is another login of one machine: its cache is another one's, which only links to the first."""
    other = server.login("other", tmp_path / "home")
    remote = other.home / ".cache" / "edge-model-toolkit" / "remote"
    remote.mkdir(parents=True)
    toolkit("bench", ONE, "--on", "device", *QUICK)
    (remote / "environments").symlink_to(device.home / ".cache" / "edge-model-toolkit" / "remote" / "environments")
    code, out, _ = toolkit("bench", ONE, "--on", "device", "--on", "other", *QUICK)
    assert code == 0
    assert "median of one inference" in out
    heading = next(line for line in out.splitlines() if "device" in line and "other" in line)
    assert heading.split()[-2:] == ["device", "other"]
    assert len(records()) == 3


def test_a_device_is_measured_by_one_at_a_time(toolkit, server, device):
    assert toolkit("bench", ONE, "--on", "device", "--on", "device")[2] == [
        "error: --on names a device twice; its measurements would disturb each other"
    ]
    lock = device.home / ".cache" / "edge-model-toolkit" / "remote" / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"\n"  # it has the lock
        code, _, err = toolkit("bench", ONE, "--on", "device", *QUICK)
    finally:
        holder.communicate()
    assert (code, err) == (2, ["error: device: another toolkit is at work on it; wait until that one is done"])


def test_a_connection_that_is_cut_stops_the_device_keeps_the_rounds_and_can_be_resumed(toolkit, device):
    cut = when(lambda: bool(records()), device.cut)
    code, _, err = toolkit("bench", ONE, "--on", "device", *LONG)
    cut.join()
    (path,) = records()
    kept = record.read(path.parent)
    rounds = len(kept.results[0].opened)
    assert (code, kept.interrupted, 1 <= rounds < 40) == (2, True, True)
    assert err[-1].startswith("error: device: the connection was lost")
    assert err[-1].endswith(f"{rounds} of 40 rounds are kept in {path.parent}; measure the rest by the same command "
                            f"with --resume {path.parent}")  # fmt: skip
    assert device.processes_after(PATIENCE_S) == []
    assert not (device.home / ".cache" / "edge-model-toolkit" / "remote" / "session").exists()

    planned = ("--processes", str(rounds + 2), "--seconds", str(0.01 * (rounds + 2)))
    code, document, err = toolkit("bench", ONE, "--on", "device", *planned, "--resume", path.parent, "--json")
    assert code == 0, err
    assert (len(document["results"][0]["processes"]), document["interrupted"]) == (rounds + 2, False)
    assert records() == [path]
    assert toolkit("record", "check", path.parent)[0] == 0
    code, _, err = toolkit("bench", ONE, "--on", "device", *planned, "--resume", path.parent)
    assert code == 2
    assert err[-1].endswith(f"all {rounds + 2} processes of each were measured; nothing is left to resume")


def test_ctrl_c_stops_the_device_and_keeps_what_was_measured(server, device, on_path, here):
    command = [sys.executable, "-m", "toolkit", "bench", str(ONE), "--on", "device", *LONG]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background lets them ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    when(lambda: bool(records()), lambda: process.send_signal(signal.SIGINT)).join()
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "error: interrupted"
    assert "interrupted: the figures are those of the blocks that were measured" in err
    assert str(ONE.name) in out
    assert device.processes_after(PATIENCE_S) == []


def test_a_device_that_no_longer_answers_is_noticed(toolkit, device, monkeypatch):
    """As one whose cable was pulled; after half a minute, here after less."""
    monkeypatch.setitem(ssh.OPTIONS, "ServerAliveInterval", "2")
    monkeypatch.setattr(ssh, "END_S", 1.0)
    stopped = when(lambda: bool(records()), lambda: os.kill(int(device.session.read_text()), signal.SIGSTOP))
    code, _, err = toolkit("bench", ONE, "--on", "device", *LONG)
    stopped.join()
    device.cut()
    assert code == 2
    assert err[-1].startswith("error: device: the connection was lost; ")
    assert " of 40 rounds are kept in benchmarks" in err[-1]
    assert device.processes_after(PATIENCE_S) == []


def test_a_connection_that_is_cut_while_the_environment_is_made_leaves_nothing_half_made(toolkit, server, tmp_path):
    fresh = server.login("fresh", tmp_path / "home")
    environments = fresh.home / ".cache" / "edge-model-toolkit" / "remote" / "environments"
    cut = when(lambda: any(environments.glob("*/bin/python")), fresh.cut)
    code, _, err = toolkit("bench", ONE, "--on", "fresh", *QUICK)
    cut.join()
    assert code == 2
    assert [line.partition(", ")[0] for line in err[:-1]] == [
        "fresh: copying 4 files",
        "fresh: making an environment",
    ]
    assert err[-1].startswith("error: fresh: the connection was lost")
    assert err[-1].endswith("; run the same command again: what was copied and installed is still there")
    assert fresh.processes_after(PATIENCE_S) == []
    assert list(environments.iterdir()) == []


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
    assert toolkit("bench", ONE, "--on", name)[::2] == (2, [f"error: {name}: {said}"])
    assert list((tmp_path / "home").iterdir()) == []


def test_a_device_without_python_is_named(toolkit, server, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    server.login("bare", tmp_path / "home", path=str(tmp_path / "bin"))
    assert toolkit("verify", ONE, "--on", "bare")[::2] == (
        2,
        ["error: bare: it has no python3; install it with: sudo apt install python3 python3-venv"],
    )


def test_a_host_that_is_not_reached_is_named(toolkit, server):
    assert toolkit("bench", ONE, "--on", "no-such-host.invalid")[::2] == (
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
    assert toolkit("bench", ONE, "--on", "stranger")[::2] == (2, [said])


def test_a_host_key_that_is_unknown_or_wrong_is_refused_and_not_learned(toolkit, server, one_device):
    server.configure("unknown", key=server.folder / "device.key", known="nobody")
    code, _, err = toolkit("bench", ONE, "--on", "unknown")
    assert (code, err) == (
        2,
        ["error: unknown: its host key is not known here; look at it and accept it once with: ssh unknown"],
    )
    assert not (server.folder / "nobody").exists()
    other = (server.folder / "device.key.pub").read_text().split()[1]
    (server.folder / "changed").write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {other}\n")
    server.configure("changed", key=server.folder / "device.key", known="changed")
    code, _, err = toolkit("bench", ONE, "--on", "changed")
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
    code, _, err = toolkit("bench", SHIPPED, "--on", "full")
    assert (code, err[-1].partition(" (")[0]) == (2, "error: full: its disk is full")
    assert err[-1].endswith(" kB free); an environment takes about 300 MB") or "(0 B free)" in err[-1]


def test_without_a_package_index_it_names_the_way_without_one(toolkit, server, tmp_path, monkeypatch):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    server.login("offline", tmp_path / "home", **nowhere, PIP_EXTRA_INDEX_URL="")
    code, _, err = toolkit("bench", ONE, "--on", "offline")
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
    code, _, err = toolkit("bench", ONE, "--on", "offline", "--wheels", tmp_path / "wheels")
    assert (code, err[-1]) == (
        2,
        f"error: offline: {tmp_path / 'wheels'} lacks {other} for it; fill it with: {fill} {tmp_path / 'wheels'}",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench", "none.tflite", "--on", "pi"), "none.tflite: no such file or folder"),
        (("bench", "--on", "-oProxyCommand=x"), "--on is '-oProxyCommand=x', which is no host name"),
        (("bench", "--on", "pi", "--explain"), "--explain looks at this machine; leave out --on"),
        (("bench", "--wheels", "."), "--wheels is what is taken along to a device; name one by --on"),
        (("bench", "--on", "pi", "--wheels", "."), ".: none of the tested wheels is there; fill the folder with"),
        (("bench", "--resume", "x"), "--resume goes on with the record of a device; name it by --on"),
        (("verify", "--on", "pi", "--save"), "--on compares by golden on a device; it does not go with --save"),
        (("verify", "--on", "pi", "--data", "x"), "--on compares by golden on a device; it does not go with --data"),
        (
            ("verify", "--on", "pi", "--margin", "2"),
            "--on compares by golden on a device; it does not go with --margin",
        ),
        (
            ("verify", "--on", "pi", "--allow-overlap"),
            "--on compares by golden on a device; it does not go with --allow",
        ),
    ],
)
def test_wrong_usage_is_one_line(toolkit, arguments, said):
    paths = [] if "none.tflite" in arguments else [ONE]
    code, _, err = toolkit(arguments[0], *paths, *arguments[1:])
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith(f"error: {said}")
