"""Files with a name of a class in each line, as they come with models of others."""

import zipfile

import pytest

from toolkit.errors import UsageError
from toolkit.labels import inside, read


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


def with_metadata(path, texts):
    """Append a zip file of texts to what stands for a model, as TensorFlow Lite's metadata do."""
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(1000))
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ({"labels.txt": "cat\r\nbig dog\n"}, ("cat", "big dog")),
        ({"labels.txt": "cat\ndog\n", "read.me": "x"}, ("cat", "dog")),
        ({"labels.txt": "cat\ndog\n", "labels_de.txt": "Katze\nHund\n"}, ()),
        ({"labels.txt": "cat\ndog\nfox\n"}, ()),
        ({"labels.txt": "cat\n\nfox\n"}, ()),
        ({"vocabulary.bin": "cat\ndog\n"}, ()),
    ],
)
def test_names_inside_a_file_are_those_of_its_one_text_if_they_are_as_many(tmp_path, texts, names):
    assert inside(with_metadata(tmp_path / "model.tflite", texts), 2) == names


def test_a_file_without_metadata_and_one_that_is_a_zip_for_another_reason_name_nothing(tmp_path):
    (tmp_path / "plain.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(1000))
    assert inside(tmp_path / "plain.tflite", 2) == ()
    assert inside(with_metadata(tmp_path / "model.keras", {"assets.txt": "cat\ndog\n"}), 2) == ()


def test_metadata_that_are_damaged_name_nothing(tmp_path):
    path = with_metadata(tmp_path / "model.tflite", {"labels.txt": "cat\ndog\n"})
    path.write_bytes(path.read_bytes().replace(b"cat\ndog\n", b"cat\nfox\n"))
    assert inside(path, 2) == ()
