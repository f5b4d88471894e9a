import fcntl
import os

import pytest

from tests.cpus import userspace

NEW = {"debian": "1", "dependencies": "1", "project": "1"}


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """What is built, instead of building it."""
    names: list[str] = []
    monkeypatch.setattr(userspace, "_build_root", lambda folder: names.append("debian"))
    monkeypatch.setattr(userspace, "_build_environment", lambda folder: names.append("environment"))
    monkeypatch.setattr(userspace, "_project_wheel", lambda folder: folder)
    monkeypatch.setattr(userspace, "_guest_pip", lambda folder, *arguments: names.append("project"))
    return names


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"project": "0"}, ["project"]),
        ({"dependencies": "0", "project": "0"}, ["environment"]),
        ({"debian": "0"}, ["debian", "environment"]),
    ],
)
def test_what_is_old_and_what_rests_on_it_is_made_anew(tmp_path, made, changed, expected):
    userspace._rebuild(tmp_path, {**NEW, **changed})
    assert made == ["debian", "environment"]
    made.clear()
    userspace._rebuild(tmp_path, NEW)
    assert made == expected


def test_a_build_that_failed_is_not_taken_for_whole(tmp_path, made, monkeypatch):
    userspace._rebuild(tmp_path, NEW)

    def fail(folder):
        raise RuntimeError("no network")

    with monkeypatch.context() as broken:
        broken.setattr(userspace, "_build_environment", fail)
        with pytest.raises(RuntimeError, match="no network"):
            userspace._rebuild(tmp_path, {**NEW, "dependencies": "2"})
    made.clear()
    userspace._rebuild(tmp_path, NEW)
    assert made == ["debian", "environment"]


def test_nobody_rebuilds_what_a_process_uses(tmp_path, made, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(userspace, "SOURCES", (tmp_path / "lists",))
    (tmp_path / "lists").touch()
    guest = userspace.build()
    assert made == ["debian", "environment"]
    with (guest.folder / "lock").open("w") as another:
        fcntl.flock(another, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(guest.lock)
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
