"""Two processes at one place, and processes that are killed there."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolkit import files, locks
from toolkit.errors import BusyError

ALONE = "locks.alone(Path({place!r}), 'train', otherwise='choose another --name')"
ATOMIC = "atomic(Path({place!r}))"
SCRATCH = "locks.scratch()"


@contextmanager
def another(block, place="", environment=None):
    """A process that has entered a block and stays there until it is killed."""
    script = f"""
import time
from pathlib import Path
from toolkit import locks
from toolkit.files import atomic
with {block.format(place=str(place))} as there:
    print(there, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGKILL)


def test_the_second_in_a_folder_is_told_who_works_there(tmp_path):
    folder = tmp_path / "runs" / "x"
    with another(ALONE, folder) as (process, _):
        said = (
            rf"x: 'toolkit train' is at work there \(process {process.pid}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d.*\)"
            "; wait for its end, or choose another --name$"
        )
        with pytest.raises(BusyError, match=said), locks.alone(folder, "export", otherwise="choose another --name"):
            pytest.fail("it went on")
        assert [path.name for path in folder.iterdir()] == [locks.LOCK]


def test_a_dead_process_holds_no_folder(tmp_path):
    with another(ALONE, tmp_path):
        pass
    assert (tmp_path / locks.LOCK).is_file()
    with locks.alone(tmp_path, "export", otherwise="go"):
        assert f"process {os.getpid()}," in (tmp_path / locks.LOCK).read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_came_to_nothing_is_removed_unless_it_was_there(tmp_path):
    with locks.alone(tmp_path / "new", "train", otherwise="go"):
        pass
    (tmp_path / "old").mkdir()
    with locks.alone(tmp_path / "old", "train", otherwise="go"):
        pass
    with locks.alone(tmp_path / "filled", "train", otherwise="go"):
        (tmp_path / "filled" / "file").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filled", "old"]


def test_of_many_that_come_and_go_one_at_a_time_is_in_the_folder(tmp_path):
    """The lock file is removed by each: nobody may hold one that another has already replaced."""
    script = f"""
import os
from pathlib import Path
from toolkit import locks
from toolkit.errors import BusyError
folder = Path({str(tmp_path / "x")!r})
entered = 0
while entered < 50:
    try:
        with locks.alone(folder, "train", otherwise=""):
            mark = os.open(folder / "inside", os.O_CREAT | os.O_EXCL)
            os.close(mark)
            os.unlink(folder / "inside")
            entered += 1
    except BusyError:
        pass
"""
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert not (tmp_path / "x" / locks.LOCK).exists()


def test_a_folder_that_is_removed_while_it_is_made_is_made_again(tmp_path, monkeypatch):
    """Between ``mkdir``, which finds it, and the look whether what it found is a folder."""
    real, folder, removed = Path.is_dir, tmp_path / "x", []
    folder.mkdir()

    def is_dir(path, **options):
        if path == folder and not removed:
            removed.append(True)
            folder.rmdir()
        return real(path, **options)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    with locks.alone(folder, "train", otherwise="go"):
        assert (folder / locks.LOCK).is_file()
    assert removed


@pytest.mark.parametrize(
    ("place", "error"), [("file", FileExistsError), ("nowhere", FileExistsError), ("nowhere/x", FileExistsError)]
)
def test_a_folder_that_can_never_be_made_is_an_error(tmp_path, place, error):
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("missing/target")
    with pytest.raises(error), locks.alone(tmp_path / place, "train", otherwise="go"):
        pass


def test_the_lock_of_a_file_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """Between opening and locking, the one before ends and removes the file."""
    real, removed = fcntl.flock, []

    def flock(descriptor, operation):
        real(descriptor, operation)
        if not removed:
            removed.append(True)
            (tmp_path / locks.LOCK).unlink()

    monkeypatch.setattr(fcntl, "flock", flock)
    with locks.alone(tmp_path, "train", otherwise="go"):
        assert (tmp_path / locks.LOCK).is_file()


def test_a_file_that_another_process_takes_for_a_dead_one_is_made_again(tmp_path, monkeypatch):
    """Between opening and locking, the other locks it and removes it."""
    path, real, others = tmp_path / "new", fcntl.flock, []

    def flock(descriptor, operation):
        if not others:
            others.append(os.open(path, os.O_RDWR))
            real(others[0], operation)
        elif path.exists() and len(others) == 1:
            path.unlink()
            os.close(others[0])
            others.append(None)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with locks.held(path):
        locks.remove_dead(path)
        assert path.is_file()


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    (tmp_path / locks.LOCK).symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="symbolic link"), locks.alone(tmp_path, "train", otherwise="go"):
        pytest.fail("it went on")
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "kept"


def test_the_next_writer_removes_the_partial_of_a_dead_one_and_none_that_is_written(tmp_path):
    with another(ATOMIC, tmp_path / "bundle.zip") as (process, _):
        with another(ATOMIC, tmp_path / "other.json"):
            pass
        dead = [path.name for path in tmp_path.iterdir() if path.name.startswith(".other-")]
        assert len(dead) == 1
        files.write_text(tmp_path / "third.txt", "new")
        names = sorted(path.name for path in tmp_path.iterdir())
        assert len(names) == 2
        assert names[0].startswith(".bundle-")
        assert process.poll() is None
    files.write_text(tmp_path / "third.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["third.txt"]


def test_what_only_looks_like_a_partial_stays(tmp_path):
    (tmp_path / ".mine.partial.zip").touch()
    (tmp_path / ".mine-1234.partial").mkdir()
    files.write_text(tmp_path / "new.txt", "new")
    assert len(list(tmp_path.iterdir())) == 3


def test_the_next_scratch_folder_removes_those_of_dead_processes_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with another(SCRATCH, environment=environment) as (_, alive):
        with another(SCRATCH, environment=environment) as (_, dead):
            (tmp_path / dead / "file").touch()
        assert (tmp_path / dead / "file").is_file()
        with locks.scratch() as mine:
            assert sorted(path for path in tmp_path.iterdir() if path.is_dir()) == sorted([mine, tmp_path / alive])
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [tmp_path / alive]
    with locks.scratch():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_a_scratch_folder_is_named():
    def fill():
        with locks.scratch() as folder:
            folders.append(str(folder))
            (folder / "file").symlink_to("/dev/full")
            (folder / "file").write_bytes(b"x")

    folders: list[str] = []
    with pytest.raises(OSError, match="No space left on device") as caught:
        fill()
    assert [caught.value.filename] == folders


def test_a_scratch_folder_that_cannot_be_removed_goes_with_the_next_one(tmp_path, monkeypatch):
    """As where a program that was just killed still writes into it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with locks.scratch() as mine:
            pass
    assert mine.is_dir()
    with locks.scratch():
        assert not mine.exists()
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_libraries_go_with_the_next_scratch_folder_after_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    block = "locks.own_temporaries() as there, __import__('tempfile').NamedTemporaryFile(delete=False)"
    with another(block, environment={**os.environ, "TMPDIR": str(tmp_path)}):
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2  # one of them the lock
    with locks.own_temporaries():
        assert tempfile.gettempdir() != str(tmp_path)
    assert tempfile.gettempdir() == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_locks_of_dead_processes_are_removed_with_what_goes_with_them(tmp_path):
    with another(ALONE, tmp_path / "dead"):
        pass
    for name in ("dead", "alive"):
        (tmp_path / name / ".export-1" / "file").mkdir(parents=True)
    with locks.alone(tmp_path / "alive", "export", otherwise="go"):
        locks.remove_dead_locks(tmp_path, "*/", beside=".export-*")
        assert [path.name for path in (tmp_path / "dead").iterdir()] == []
        assert len(list((tmp_path / "alive").iterdir())) == 2
