"""Documents of the user's cache."""

import json
from dataclasses import dataclass

import pytest

from toolkit.files.kept import Kept


@dataclass(frozen=True)
class Found:
    seconds: float


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Kept("times", {"cpu": "one", "cores": 2})


def test_what_was_found_out_is_read_again_where_the_same_is_asked(kept):
    assert kept.read(Found) is None
    kept.write(Found(0.5))
    assert Kept("times", {"cores": 2, "cpu": "one"}).read(Found) == Found(0.5)
    assert Kept("times", {"cpu": "one", "cores": 4}).read(Found) is None
    assert Kept("others", kept.asked).read(Found) is None
    assert json.loads(kept.path.read_text()) == {"asked": kept.asked, "found": {"seconds": 0.5}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"found": null}',
        b'{"found": {"seconds": "1"}}',
        b'{"found": {"seconds": NaN}}',
        b'{"found": {"seconds": 1, "more": 2}}',
        b"[" * 100_000,
        b'{"found": {"seconds": "\xff"}}',
    ],
)
def test_a_damaged_document_is_taken_for_nothing_and_written_anew(kept, content):
    kept.write(Found(0.5))
    kept.path.write_bytes(content)
    assert kept.read(Found) is None
    kept.write(Found(0.25))
    assert kept.read(Found) == Found(0.25)


@pytest.mark.parametrize("taken_by", ["a file", "a folder"])
def test_where_no_cache_can_be_written_what_was_found_is_lost_and_nothing_else(kept, taken_by):
    if taken_by == "a file":
        kept.path.parents[2].write_text("")
    else:
        kept.path.mkdir(parents=True)
    kept.write(Found(0.5))
    assert kept.read(Found) is None
