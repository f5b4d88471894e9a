"""A device: a login of an SSH server on this machine, with an environment that is made once a session."""

import fcntl
import json
import os
import shutil

import pytest

from tests.remote.scripted import Scripted
from tests.remote.server import SSHD, Server
from toolkit.cli import call


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("OpenSSH's client and server are not installed: apt-get install openssh-client openssh-server")
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def one_device(server, run_folder):
    """The login of a device that has all it needs, one for all processes that run tests."""
    return server.login("device", run_folder / "device")


@pytest.fixture
def device(one_device):
    """That device, for one test at a time. Its environment is made by the first that wants one."""
    with one_device.home.with_name("device.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield one_device


@pytest.fixture
def on_path(server, monkeypatch):
    monkeypatch.setenv("PATH", f"{server.folder / 'bin'}:{os.environ['PATH']}")


@pytest.fixture
def scripted(tmp_path_factory, monkeypatch):
    """Devices that say what a test lets them say."""
    folder = tmp_path_factory.mktemp("scripted")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Scripted(folder)


@pytest.fixture
def toolkit(on_path, call_here):
    """Call toolkit where the devices are logins of the server."""
    return call_here


@pytest.fixture
def call_here(here, capsys):
    """Call toolkit in an empty folder; returns the exit code, stdout or its document, and the lines of stderr."""

    def run(*arguments):
        code = call([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        out = json.loads(captured.out) if "--json" in arguments and captured.out else captured.out
        return code, out, captured.err.splitlines()

    return run
