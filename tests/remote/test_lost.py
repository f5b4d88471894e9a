"""Connections that are cut: the device stops, and what was measured or installed until then is kept."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from tests.remote.test_devices import ONE, PATIENCE_S, QUICK, records
from toolkit.bench import record
from toolkit.remote import ssh

# As long as a test may take: rounds of a benchmark that is cut off.
LONG = ("--processes", "40", "--seconds", "0.4")

pytestmark = pytest.mark.slow


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


def test_a_connection_that_is_cut_stops_the_device_keeps_the_rounds_and_can_be_resumed(toolkit, device):
    cut = when(lambda: bool(records()), device.cut)
    code, _, err = toolkit("device", "bench", ONE, "--on", "device", *LONG)
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
    code, document, err = toolkit("device", "bench", ONE, "--on", "device", *planned, "--resume", path.parent, "--json")
    assert code == 0, err
    assert (len(document["results"][0]["processes"]), document["interrupted"]) == (rounds + 2, False)
    assert records() == [path]
    assert toolkit("record", "check", path.parent)[0] == 0
    code, _, err = toolkit("device", "bench", ONE, "--on", "device", *planned, "--resume", path.parent)
    assert code == 2
    assert err[-1].endswith(f"all {rounds + 2} processes of each were measured; nothing is left to resume")


def test_ctrl_c_stops_the_device_and_keeps_what_was_measured(server, device, on_path, here):
    command = [sys.executable, "-m", "toolkit", "device", "bench", str(ONE), "--on", "device", *LONG]
    process = subprocess.Popen(
        command,
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
    code, _, err = toolkit("device", "bench", ONE, "--on", "device", *LONG)
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
    code, _, err = toolkit("device", "bench", ONE, "--on", "fresh", *QUICK)
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
