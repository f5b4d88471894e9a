"""Files with a name of a class in each line, as they come with models of others."""

import pytest

from toolkit.errors import UsageError
from toolkit.labels import read


def test_names_stand_in_lines_whoever_wrote_them(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffcat\r\nbig dog \r\nKüken\r\n".encode())
    assert read(path) == ("cat", "big dog", "Küken")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_names_in_utf_16_are_read_where_a_mark_says_so(tmp_path, encoding):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffcat\r\nKüken\r\n".encode(encoding))
    assert read(path) == ("cat", "Küken")


def test_names_cannot_steer_a_terminal(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("cat\n\x1b[31mdog\n")
    assert read(path) == ("cat", r"\x1b[31mdog")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"cat\n\ndog\n", "line 2 is empty; give the name of a class in each line"),
        (b"\xff\xfe\x00", "no text in UTF-8; save it in UTF-8, the name of a class in each line"),
        (b"", "an empty file"),
    ],
)
def test_what_names_no_classes_is_one_line(tmp_path, content, says):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"labels\.txt: {says}"):
        read(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.labels.MOST_BYTES", 5)
    path = tmp_path / "labels.txt"
    path.write_text("cat\ndog\n")
    with pytest.raises(UsageError, match="has 8 bytes; allowed: 5"):
        read(path)
