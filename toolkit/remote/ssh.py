"""A connection to a device: the system's OpenSSH client, and on the device Python, to which the rest is sent."""

import contextlib
import importlib.util
import math
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from toolkit.errors import DeviceError, DeviceLostError, UsageError
from toolkit.programs import wait_or_kill
from toolkit.text import lines, printable
from toolkit.wire import ALIVE_S, SILENCE_S, Channel

# A connection of its own, which asks the user nothing and forwards nothing. Which hosts to trust and how to log in is
# taken from the user's configuration. A device that stopped answering is noticed after 3 times 10 seconds.
OPTIONS = {
    "BatchMode": "yes", "ClearAllForwardings": "yes", "ConnectTimeout": "20", "ControlMaster": "no",
    "ControlPath": "none", "ForwardAgent": "no", "ForwardX11": "no", "LogLevel": "ERROR", "PermitLocalCommand": "no",
    "RemoteCommand": "none", "RequestTTY": "no", "ServerAliveCountMax": "3", "ServerAliveInterval": "10",
}  # fmt: skip
# Seconds that Python may take to start on a device, that a process here may take to end when it was told to, and that
# a device has to send what there is when the user has stopped it.
START_S, END_S, STOP_S = 60.0, 10.0, 20.0
# How much is kept of what ssh and the device write to stderr: the last bytes.
STDERR_BYTES = 1 << 16
OLDEST_PYTHON = (3, 11)
# The only words that a device's shell sees: all else comes over stdin. No quote or exclamation mark in it, for shells
# that read those in their own way.
FIRST = (
    'import sys; sys.version_info < {oldest} and sys.exit("toolkit: old Python " + sys.version.split()[0]); '
    "exec(sys.stdin.buffer.read({size}))"
)
# What runs on a device that has nothing but Python, in the order in which they need each other.
SENT = ("toolkit.cache", "toolkit.wire", "toolkit.remote.provision")
FAILED, NOT_FOUND = 255, 127
# What OpenSSH's client is given as a destination: nothing that it takes for an option, and nothing that a shell reads
# in a way of its own, since one may see it: that of a ProxyCommand.
NAME = r"\w[\w.-]*"
IPV6 = r"(?=[^:]*:)[0-9A-Fa-f:.]+(?:%\w[\w.-]*)?"
USER = r"(?:\w[\w.+-]*@)?"
DESTINATION = re.compile(rf"{USER}(?:{NAME}|{IPV6})|ssh://{USER}(?:{NAME}|\[{IPV6}\])(?::\d{{1,5}})?/?")
# What OpenSSH or a device's shell says, and what it means. {host}: the destination.
CAUSES = (
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "its host key is not the one that known_hosts has of it: another "
     "device answers, or it was set up anew; if you know why, forget the old key with: ssh-keygen -R {name}"),
    (r"Host key verification failed|host key is known", "its host key is not known here; look at it and accept it "
     "once with: ssh {host}"),
    (r"Permission denied \(", "it does not let you in without a password; give it your key once with: "
     "ssh-copy-id {host}"),
    (r"Could not resolve hostname", "no host of that name is known here; check the name, or give its address"),
    (r"Connection refused", "no SSH server answers there; on a Raspberry Pi switch it on with: sudo raspi-config"),
    (r"timed out|No route to host|Network is unreachable|Host is down", "it does not answer; is it switched on, and in "
     "this network?"),
    (r"toolkit: old Python (?P<found>\S+)",
     "it has Python {found}; toolkit needs 3.11 or newer: install a newer system"),
    (r"python3.*not found|python3: (?:No such file|Unknown command)", "it has no python3; install it with: "
     "sudo apt install python3 python3-venv"),
)  # fmt: skip


def check(destination: str) -> None:
    """Raise UsageError for what is no host name, ``user@host``, alias or ``ssh://`` address, above all for an option.

    https://nvd.nist.gov/vuln/detail/CVE-2017-1000117 is what becomes of a destination that begins with a dash, and
    https://nvd.nist.gov/vuln/detail/CVE-2023-51385 of one that holds what a ProxyCommand's shell would run.
    """
    if not DESTINATION.fullmatch(destination):
        printed = destination if destination.isprintable() else ascii(destination)
        raise UsageError(
            f"--on is '{printed}', which is no host name; allowed: user@host, an address, or a name of your "
            "~/.ssh/config"
        )


class Connection:
    """One device, connected; a context manager that leaves no process behind.

    DeviceError if it cannot be reached or was lost. Once ``stopped`` is set, a device that has begun its work is told
    to stop, and its answer is waited for; of others it is a KeyboardInterrupt.
    """

    def __init__(self, destination: str, stopped: threading.Event) -> None:
        check(destination)
        self.destination = destination
        self._stopped = stopped
        self._opened = False
        self._working = False
        self._give_up_s: float | None = None
        self._answer_by_s = math.inf
        self._quiet = threading.Lock()
        self._ended = threading.Event()
        self._said = b""
        payload = _payload()
        try:
            # A session of its own: Ctrl-C ends this process, which ends the connection when all is brought home.
            self._process = subprocess.Popen(
                command(destination, len(payload)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except FileNotFoundError as error:
            raise UsageError("--on needs OpenSSH's client, ssh; install it: sudo apt install openssh-client") from error
        self._pipes = tuple(
            cast("IO[bytes]", pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        source, target = (pipe.fileno() for pipe in (self._pipes[1], self._pipes[0]))
        # Who looks sends what is to be said: nobody may look while something is sent.
        self._channel = Channel(source, target, look=self._look, patience_s=SILENCE_S)
        self._beating = threading.Thread(target=self._beat, daemon=True)
        try:
            self.hello = self._open(payload)
            self._opened = True
        except BaseException:
            self._process.kill()
            self.close()
            raise
        self._beating.start()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: dict[str, Any], content: bytes = b"") -> None:
        """Send a message that is not answered."""
        with self._lost_named():
            self._channel.send(message, content)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Wait for the next message."""
        with self._lost_named():
            return self._received()

    def ask(self, message: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        """Send a message and return the answer."""
        self.send(message, content)
        return self.receive()[0]

    def hand_over(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message after which another program takes over there, and be silent until that one answers."""
        with self._quiet, self._lost_named(), self._answered_within(START_S):
            self._channel.send(message)
            self._channel.skip_to_mark()
            return self._received()[0]

    def work(self, message: dict[str, Any]) -> None:
        """Tell the device to begin."""
        self.send(message)
        self._working = True

    def close(self) -> None:
        """End the connection: the device ends what it does when nothing comes any more."""
        self._ended.set()
        if self._beating.is_alive():
            self._beating.join()
        self._pipes[0].close()
        wait_or_kill(self._process, END_S)
        self._listening.join(END_S)
        for pipe in self._pipes[1:]:
            pipe.close()

    def _open(self, payload: bytes) -> dict[str, Any]:
        """Send what runs on the device, and return what it says of itself."""
        with self._lost_named(), self._answered_within(START_S + float(OPTIONS["ConnectTimeout"])):
            with contextlib.suppress(BrokenPipeError):  # ssh has ended, and says why
                self._pipes[0].write(payload)
            self._channel.skip_to_mark()
            return self._received()[0]

    def _received(self) -> tuple[dict[str, Any], bytes]:
        message, content = self._channel.receive()
        return printable(message, keep="\n"), content

    @contextlib.contextmanager
    def _answered_within(self, seconds: float) -> Iterator[None]:
        """Give up a device that starts something and does not answer in time."""
        self._answer_by_s = time.monotonic() + seconds
        try:
            yield
        except TimeoutError as error:
            self._process.kill()
            raise DeviceError(f"{self.destination}: nothing was heard from it for {seconds:.0f} s") from error
        finally:
            self._answer_by_s = math.inf

    def _look(self) -> None:
        """End the wait for an answer if its time is up or the user has stopped it."""
        if time.monotonic() > self._answer_by_s:
            raise TimeoutError
        if not self._stopped.is_set():
            return
        if not self._working:
            raise KeyboardInterrupt
        if self._give_up_s is None:
            self._give_up_s = time.monotonic() + STOP_S
            self._channel.send({"do": "stop"})
        elif time.monotonic() > self._give_up_s:
            raise ConnectionError("it did not stop")

    def _beat(self) -> None:
        while not self._ended.wait(ALIVE_S):
            try:
                with self._quiet:
                    self._channel.send({"do": "alive"})
            except OSError:
                return

    def _listen(self) -> None:
        """Read all that is written to stderr, and keep the last of it: a device may write without end."""
        with contextlib.suppress(
            OSError, ValueError
        ):  # closed, though a process that ssh started still holds the other end
            while content := self._pipes[2].read(STDERR_BYTES):
                self._said = (self._said + content)[-STDERR_BYTES:]

    @contextlib.contextmanager
    def _lost_named(self) -> Iterator[None]:
        """Say of a connection that ended why it did."""
        try:
            yield
        except ConnectionError as error:
            code, stderr = self._last_words()
            if self._opened:
                raise DeviceLostError(f"{self.destination}: {_ended(code, stderr)}") from error
            raise DeviceError(f"{self.destination}: {explain(self.destination, code, stderr)}") from error

    def _last_words(self) -> tuple[int, str]:
        code = wait_or_kill(self._process, END_S)
        if code < 0:  # it was given up
            code = FAILED
        self._listening.join(END_S)
        return code, self._said.decode(errors="replace")


def command(destination: str, size: int) -> list[str]:
    """Return the command that starts Python on a device, which reads and runs ``size`` bytes of its stdin."""
    options = [word for name, value in OPTIONS.items() for word in ("-o", f"{name}={value}")]
    first = FIRST.format(oldest=OLDEST_PYTHON, size=size)
    return ["ssh", "-T", *options, "--", destination, "python3", "-c", shlex.quote(first)]


def explain(destination: str, code: int, stderr: str) -> str:
    """Say in a line why there is no connection. code: that of the device's shell, or 255 of ssh itself."""
    name = destination.rpartition("@")[2]
    for pattern, meaning in CAUSES:
        if match := re.search(pattern, stderr):
            return meaning.format(host=destination, name=name, **match.groupdict())
    if code == NOT_FOUND:
        return "it has no python3; install it with: sudo apt install python3 python3-venv"
    return _ended(code, stderr)


def _ended(code: int, stderr: str) -> str:
    said = lines(stderr)
    what = "the connection was lost" if code == FAILED else f"what runs there ended with {code}"
    return f"{what}{f' ({said[-1]})' if said else ''}"


def _payload() -> bytes:
    """Return the program that makes modules of SENT on the device and runs the last."""
    sources = {}
    for name in SENT:
        spec = importlib.util.find_spec(name)
        sources[name] = Path(str(spec.origin)).read_text(encoding="utf-8") if spec else ""
    return (
        f"import sys, types\n"
        f"for name, source in {sources!r}.items():\n"
        f"    sys.modules[name] = types.ModuleType(name)\n"
        f"    exec(compile(source, name, 'exec'), sys.modules[name].__dict__)\n"
        f"sys.modules[name].main()\n"
    ).encode()
