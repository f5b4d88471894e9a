"""What runs on a device before toolkit is there: take files, make the environment, hand over to the agent in it.

Sent as text by ``ssh``: the standard library, ``cache`` and ``wire`` alone. Everything lies in the user's cache there:

    blobs/DIGEST        what was copied, by its SHA-256, so that nothing is copied twice
    environments/KEY    a virtual environment, complete if it holds the file ``ready``
    session/            what one connection works in; gone when it ends
    lock                held by the one connection that may be there at a time
"""

import errno
import fcntl
import hashlib
import os
import platform
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, cast

from toolkit.cache import cache_folder
from toolkit.wire import LOOK_S, MARK, SILENCE_S, Channel

READY = "ready"
# The suffix of a file that is still arriving. After a lost connection it is sent again from its beginning.
PARTIAL = ".partial"
# After how many days a file that was not asked for again is forgotten.
KEPT_DAYS = 30
# How much of what a failed command wrote is sent: its last bytes.
TOLD_BYTES = 4000
# Wheels that were taken along are the only ones that are installed: the device's own settings of pip are left out.
ALONE = {"PIP_CONFIG_FILE": os.devnull}
# Not --quiet, which hides what a conflict is about. One more attempt to reach an index that is not there: pip's own
# five take a minute for each package.
PIP = ("--no-input", "--disable-pip-version-check", "--retries=1", "install")
PIP_OPTIONS = ("--no-compile", "--progress-bar=off")
# If the digests are known, pip installs the listed files alone, and builds nothing.
HASHED = ("--require-hashes", "--no-deps", "--only-binary=:all:")
# What an environment runs, given the file that says that it is ready.
AGENT = """\
import os, sys
try:
    from toolkit.remote import agent
except BaseException:
    os.unlink(sys.argv[1])
    raise
agent.main()
"""


class FailedCommandError(Exception):
    """A command that ended badly, with what it wrote."""


class Provision:
    """Answers questions until it is told to start the agent."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._folder = cache_folder() / "remote"
        self._lock: int | None = None

    def serve(self) -> None:
        """Answer each question; an error is an answer, and the last one."""
        try:
            self._channel.send(_hello())
            while True:
                question, content = self._channel.receive()
                answer = self._answer(question, content)
                if answer is not None:
                    self._channel.send(answer)
        except FailedCommandError as error:
            self._channel.send({"error": "command", "output": str(error)})
        except BlockingIOError:
            self._channel.send({"error": "busy"})
        except ConnectionError:
            raise
        except OSError as error:
            self._channel.send(_describe(error, self._folder))

    def _answer(self, question: dict[str, Any], content: bytes) -> dict[str, Any] | None:
        kind = question.pop("do")
        if kind == "alive":
            return None
        if kind == "offer":
            return self._offer(**question)
        if kind == "piece":
            return self._take(content=content, **question)
        if kind == "install":
            return self._install(**question)
        self._start(**question)
        return None

    def _offer(self, *, key: str, digests: Sequence[str]) -> dict[str, Any]:
        """Take the lock, clear away what is old, and say what is missing. key: of the environment."""
        for folder in (self._folder, self._folder / "blobs", self._folder / "environments"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)  # one that was there may be open to others
        if self._lock is None:
            self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(self._folder / "session", ignore_errors=True)
        oldest_s = time.time() - KEPT_DAYS * 86400
        for blob in (self._folder / "blobs").iterdir():
            if blob.name in digests:
                os.utime(blob)
            elif blob.suffix == PARTIAL or blob.stat().st_mtime < oldest_s:
                blob.unlink()
        return {
            "ready": (self._folder / "environments" / key / READY).is_file(),
            "missing": [digest for digest in digests if not self._blob(digest).is_file()],
        }

    def _take(self, *, digest: str, first: bool, last: bool, content: bytes) -> dict[str, Any]:
        """Take a piece of a file, and check the file with the last one; what did not fit on the disk is removed."""
        partial = self._blob(f"{digest}{PARTIAL}")
        try:
            with partial.open("wb" if first else "ab") as file:
                file.write(content)
                if not last:
                    return {}
                file.flush()
                os.fsync(file.fileno())
            with partial.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
            if actual != digest:
                raise OSError(errno.EIO, "a file did not arrive as it was sent", str(partial))
            partial.replace(self._blob(digest))
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        return {}

    def _install(
        self,
        *,
        key: str,
        wheel: str,
        extra: str,
        packages: dict[str, str],
        pinned: list[str],
        hashed: bool,
        offline: bool,
    ) -> dict[str, Any]:
        """Make the environment anew, in place of any other.

        packages: digests of wheels by name, toolkit's included. pinned: lines for pip with the tested versions, and if
        they are ``hashed`` with the digests of the tested files: then nothing else is installed.
        """
        environments = self._folder / "environments"
        folder, wheels = environments / key, self._folder / "session" / "wheels"
        for old in environments.iterdir():
            shutil.rmtree(old)
        try:
            wheels.mkdir(parents=True)
            for name, digest in packages.items():
                self._lay(digest, wheels / name)
            # A pip that was taken along runs from its wheel: to install Python's own takes a device most of a minute.
            taken = next((wheels / name / "pip" for name in packages if name.startswith("pip-")), None)
            self._run([sys.executable, "-m", "venv", *(["--without-pip"] if taken else []), str(folder)])
            source = ["--no-index", "--find-links", str(wheels)] if offline else []
            own, listed = wheels / wheel, wheels / "pinned.txt"
            if hashed:
                pinned = [f"{own.as_uri()} --hash=sha256:{packages[wheel]}", *pinned]
                wanted = [*HASHED, "--requirement", str(listed)]
            else:
                wanted = ["--constraint", str(listed), f"{own}[{extra}]"]
            listed.write_text("\n".join(pinned), encoding="utf-8")
            pip = [str(taken)] if taken else ["-m", "pip"]
            untold = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | ALONE
            command = [str(folder / "bin" / "python"), *pip, *PIP, *PIP_OPTIONS, *source, *wanted]
            self._run(command, untold if offline else None)
            (folder / READY).touch()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(self._folder / "session", ignore_errors=True)
        for digest in packages.values():
            self._blob(digest).unlink(missing_ok=True)
        return {}

    def _start(self, *, key: str, files: dict[str, str]) -> None:
        """Lay the files out and become the agent. files: digests by path. The other end is silent until it answers.

        An error is sent as the agent's first answer would be: behind a mark.
        """
        session, environment = self._folder / "session", self._folder / "environments" / key
        try:
            for name, digest in files.items():
                target = session / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._lay(digest, target)
            os.chdir(session)
            if self._lock is not None:
                os.set_inheritable(self._lock, True)
            _become_agent(environment)
        except OSError:
            shutil.rmtree(session, ignore_errors=True)
            os.write(1, MARK)
            raise

    def _blob(self, digest: str) -> Path:
        return self._folder / "blobs" / digest

    def _lay(self, digest: str, target: Path) -> None:
        """Give a file that was copied its name; remove it, with an error, if it is no longer as it was copied."""
        blob = self._blob(digest)
        with blob.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                blob.unlink()
                raise OSError(errno.EIO, "it is no longer as it was copied; run the same command again", str(blob))
        try:
            os.link(blob, target)
        except OSError:  # the file system has no second names
            shutil.copyfile(blob, target)

    def _run(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        """Run a command, and end it if the connection ends; FailedCommandError if it fails."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
        output = b""
        try:
            pipe = cast("Any", process.stdout).fileno()
            while True:
                if select.select([pipe], [], [], LOOK_S)[0]:
                    content = os.read(pipe, 1 << 16)
                    if not content:
                        break
                    output = (output + content)[-TOLD_BYTES:]
                while self._channel.waiting(0):
                    self._channel.receive()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            process.wait()
        if process.returncode != 0:
            raise FailedCommandError(output.decode(errors="replace") or f"it ended with {process.returncode}")


def _hello() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "bits": 8 * struct.calcsize("P"),
        "machine": platform.machine(),
        "venv": all(find_spec(name) is not None for name in ("venv", "ensurepip")),
    }


def _describe(error: OSError, folder: Path) -> dict[str, Any]:
    """Return what to tell of an error. full: whether the disk is."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    where = f"{error.filename}: " if error.filename else ""
    place = folder if folder.exists() else Path.home()
    return {
        "error": "disk" if full else "system",
        "output": f"{where}{error.strerror or error}",
        "free_bytes": shutil.disk_usage(place).free,
    }


def _become_agent(environment: Path) -> NoReturn:
    """Go on as the agent; an environment in which it does not start is no longer ready, and will be made anew."""
    python, ready = str(environment / "bin" / "python"), environment / READY
    try:
        os.execv(python, [python, "-P", "-c", AGENT, str(ready)])
    except OSError as error:
        ready.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, python) from error


def main() -> None:
    """Serve the other end of stdin and stdout; what is made there is the user's alone, folders above it included."""
    os.umask(0o077)
    os.write(1, MARK)
    try:
        Provision(Channel(0, 1, patience_s=SILENCE_S)).serve()
    except ConnectionError:
        sys.exit(1)
