"""Who is at work where. A lock is held on a file, so the system frees it with the process, however that ends."""

import errno
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from toolkit.errors import BusyError

LOCK = ".lock"
# A process that was killed keeps its locks until its memory is given back, which takes a moment if it was large.
PATIENCE_S = 1.0
_NEW = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
_OLD = os.O_RDWR | os.O_NOFOLLOW
# How often a folder is made that is gone at the next look, before that is taken for a fault of its own.
_ATTEMPTS = 100
# As much of a lock file as is read: it holds one sentence.
_SENTENCE_BYTES = 200


@contextmanager
def alone(folder: Path, verb: str, *, otherwise: str) -> Iterator[None]:
    """Hold a folder, which is made if it is not there, so that no other process works in it.

    otherwise: what to do instead of waiting, for the message. BusyError says who is at work there. What was made of the
    folder and its parents is removed again if nothing came of it.
    """
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    descriptor = _in_time(lambda: _enter(folder))
    if descriptor is None:
        said = _read(folder / LOCK) or "another process is at work there"
        raise BusyError(f"{folder}: {said}; wait for its end, or {otherwise}")
    try:
        since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"'toolkit {verb}' is at work there (process {os.getpid()}, since {since})\n".encode())
        yield
    finally:
        # Unlinked before it is let go: who waits for it finds that it is no longer the file of that name.
        (folder / LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            for empty in made:
                empty.rmdir()
        os.close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Make a file, and hold it while the block writes to it by its name: ``remove_dead`` then leaves it alone."""
    # Nobody else knows the name: who has locked the file takes it for one of the dead, and removes it at once.
    descriptor = _in_time(lambda: _take(path, _NEW))
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def remove_dead(path: Path, *, beside: Path | None = None) -> None:
    """Remove a file that ``held`` made, and a folder beside it, if the process that made them is gone."""
    with suppress(OSError):  # somebody else's, or just removed
        descriptor = _take(path, _OLD)
        if descriptor is not None:
            try:
                _remove(path, beside)
            finally:
                os.close(descriptor)


def remove_dead_locks(folder: Path, pattern: str, *, beside: str = "") -> None:
    """Remove the locks that ``alone`` left in the folders below that match, if the process that held them is gone.

    beside: a pattern of a folder that goes with the lock.
    """
    for lock in folder.glob(f"{pattern}{LOCK}"):
        remove_dead(lock, beside=next(lock.parent.glob(beside), None) if beside else None)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder among the temporary files of the system, and remove it, and those of killed processes."""
    place = Path(tempfile.gettempdir())
    mine = f"toolkit-{os.getuid()}-"
    for lock in place.glob(f"{mine}*{LOCK}"):
        remove_dead(lock, beside=lock.with_suffix(""))
    folder = place / f"{mine}{secrets.token_hex(8)}"
    lock = folder.with_suffix(LOCK)
    with held(lock):
        try:
            folder.mkdir(mode=0o700)
            yield folder
        except OSError as error:
            if error.errno == errno.ENOSPC and error.filename is None:  # a write() that fails names no file
                error.filename = str(folder)
            raise
        finally:
            _remove(lock, folder)


@contextmanager
def own_temporaries() -> Iterator[None]:
    """Let libraries put their temporary files into a scratch folder: of a process that was killed, nobody else would
    remove them.
    """
    with scratch() as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def _remove(lock: Path, folder: Path | None) -> None:
    """Remove a folder and then its lock, which stays if the folder does: whoever comes next removes both."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():  # a process that was started there, and is just ending, still writes
            return
    lock.unlink(missing_ok=True)


def _in_time(take: Callable[[], int | None]) -> int | None:
    """Take a lock as soon as it is let go; None if that lasts longer than PATIENCE_S."""
    deadline_s = time.monotonic() + PATIENCE_S
    while (descriptor := take()) is None and time.monotonic() < deadline_s:
        time.sleep(PATIENCE_S / 20)
    return descriptor


def _enter(folder: Path) -> int | None:
    """Make the folder and take its lock; another process may remove either in between."""
    attempts = _ATTEMPTS
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _take(folder / LOCK, _NEW)
        except (FileNotFoundError, FileExistsError):  # the latter if it is gone when ``mkdir`` looks what is there
            attempts -= 1
            if not attempts:
                raise


def _take(path: Path, flags: int) -> int | None:
    """Return the descriptor of a file that is now this process's; None if it is another's."""
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                os.close(descriptor)
                return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _read(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_SENTENCE_BYTES).decode(errors="replace").strip()
    return ""
