"""What a device is called, the words that its shell sees, and what is said where there is no connection."""

import shlex
import subprocess
import sys
import threading

import pytest

from tests.remote.scripted import HELLO
from toolkit.errors import DeviceError, UsageError
from toolkit.remote import ssh
from toolkit.wire import MARK


@pytest.mark.parametrize(
    "name",
    [
        "pi",
        "pi@raspberrypi.local",
        "pi@192.0.2.7",
        "ssh://pi@host:2222",
        "ssh://pi_4",
        "ssh://pi@[2001:db8::7]:22",
        "fe80::1%eth0",
        "pi@::1",
        "küche.local",
    ],
)
def test_a_destination_that_openssh_takes_is_taken(name):
    ssh.check(name)
    assert ssh.command(name, 1)[-5:-3] == ["--", name]


@pytest.mark.parametrize(
    "name",
    [
        *("", "-oProxyCommand=touch x", "--", "-", "pi@-oX", "pi host", "pi\n", "pi\x1b[2J", "\t"),
        *("ssh://-oProxyCommand=x", "ssh://-x", "ssh://pi@-x", "ssh://", "ssh://pi:x", "[-x]"),
        *(
            "host;id",
            "host`id`",
            "host|id",
            "host$(id)",
            "$(id)@host",
            "`id`@host",
            "a'b",
            "a\\b",
            "ssh://$(id)@host:1",
        ),
        *("::1%$(id)", "ssh://[::1%;id]", "pi@pi@host"),
    ],
)
def test_what_is_no_destination_is_refused(name):
    with pytest.raises(UsageError, match=r"^--on is .* allowed: user@host"):
        ssh.check(name)


def test_the_words_for_the_shell_are_the_same_for_every_device_and_run_what_is_sent():
    words = ssh.command("one", 7)[-3:]
    assert words == ssh.command("another", 7)[-3:]
    words[0] = shlex.quote(sys.executable)
    done = subprocess.run(["/bin/sh", "-c", " ".join(words)], input=b"print(6*7)"[:7] + b"!", capture_output=True)
    assert done.stderr.endswith(b"SyntaxError: '(' was never closed\n")
    words = ssh.command("one", 10)[-3:]
    words[0] = shlex.quote(sys.executable)
    done = subprocess.run(["/bin/sh", "-c", " ".join(words)], input=b"print(6*7) and the rest", capture_output=True)
    assert (done.stdout, done.stderr) == (b"42\n", b"")


def test_ssh_never_asks_and_takes_who_to_trust_from_the_user():
    options = dict(zip(ssh.command("pi", 1)[3::2], ssh.command("pi", 1)[2::2], strict=False))
    assert "BatchMode=yes" in options
    assert not any(option.startswith(("StrictHostKeyChecking", "UserKnownHosts", "Identity")) for option in options)


@pytest.mark.parametrize(
    ("code", "stderr", "said"),
    [
        (255, "ssh: connect to host 192.0.2.7 port 22: Connection timed out", "it does not answer; is it switched on"),
        (255, "ssh: connect to host pi port 22: No route to host", "it does not answer; is it switched on"),
        (1, "toolkit: old Python 3.9.2", "it has Python 3.9.2; toolkit needs 3.11 or newer"),
        (127, "sh: 1: python3: not found", "it has no python3; install it with: sudo apt install python3"),
        (127, "fish: Unknown command: python3", "it has no python3; install it with: sudo apt install python3"),
        (
            255,
            "Bad configuration option: \x1b[2Jfoo",
            "the connection was lost (Bad configuration option: \\x1b[2Jfoo)",
        ),
        (3, "", "what runs there ended with 3"),
    ],
)
def test_the_reason_is_one_line(code, stderr, said):
    assert ssh.explain("pi@host", code, f"Warning: something else\n{stderr}\n").startswith(said)


def test_without_openssh_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs OpenSSH's client, ssh; install it: sudo apt install openssh-client"):
        ssh.Connection("pi", threading.Event())


@pytest.mark.parametrize("said", [b"", b'{"bytes": 0', b"a shell's greeting\n"])
def test_a_device_that_starts_nothing_is_given_up(scripted, monkeypatch, said):
    monkeypatch.setattr(ssh, "START_S", 0.3)
    with (
        ssh.Connection(scripted.device("slow", HELLO, said), threading.Event()) as connection,
        pytest.raises(DeviceError, match=r"^slow: nothing was heard from it for 0 s$"),
    ):
        connection.hand_over({"do": "start"})


def test_what_a_device_writes_to_stderr_takes_no_room(scripted):
    name = scripted.device("loud", HELLO, stderr=b"x" * 10_000_000 + b"\nthe last\n")
    with ssh.Connection(name, threading.Event()) as connection:
        assert connection.hello["bits"] == 64
    assert connection._said.endswith(b"\nthe last\n")
    assert len(connection._said) == ssh.STDERR_BYTES


def test_a_device_that_lets_in_and_says_no_more_is_given_up(scripted, monkeypatch):
    monkeypatch.setattr(ssh, "START_S", 0.3 - float(ssh.OPTIONS["ConnectTimeout"]))
    with pytest.raises(DeviceError, match=r"^half: nothing was heard from it for 0 s$"):
        ssh.Connection(scripted.device("half", b'{"python": '), threading.Event())


@pytest.mark.parametrize("said", [b"", b'{"bytes": 0', MARK])
def test_ctrl_c_is_answered_while_a_device_starts_something(scripted, said):
    stopped = threading.Event()
    with ssh.Connection(scripted.device("slow", HELLO, said), stopped) as connection:
        threading.Timer(0.2, stopped.set).start()
        with pytest.raises(KeyboardInterrupt):
            connection.hand_over({"do": "start"})
