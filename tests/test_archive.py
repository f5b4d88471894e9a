"""Archives: the same bytes for the same content, and nothing hostile is unpacked."""

import os
import random
import stat
import struct
import time
import zipfile

import pytest

from toolkit import archive
from toolkit.errors import ArtifactError

FILES = {"box/a.txt": b"first", "box/b.bin": bytes(range(256))}


@pytest.fixture
def packed(tmp_path):
    archive.pack(tmp_path / "box.zip", FILES)
    return tmp_path / "box.zip"


def test_an_archive_does_not_depend_on_order_and_time(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    old = os.umask(0o077)
    try:
        archive.pack(tmp_path / "again.zip", dict(reversed(FILES.items())))
    finally:
        os.umask(old)
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    entries = zipfile.ZipFile(packed).infolist()
    assert [(entry.filename, entry.date_time[0], entry.external_attr >> 16) for entry in entries] == [
        ("box/a.txt", 1980, 0o100644),
        ("box/b.bin", 1980, 0o100644),
    ]


def test_what_was_packed_is_unpacked(packed, tmp_path):
    assert archive.unpack(packed, tmp_path / "out") == []
    found = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    assert found == FILES


def entry(name, mode=stat.S_IFREG | 0o644, **attributes):
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


HOSTILE = {
    "absolute": ([entry("/tmp/x")], "'/tmp/x' is not the path of a file inside it"),
    "parent": ([entry("../x")], "'../x' is not the path of a file inside it"),
    "parent in the middle": ([entry("box/../../x")], "is not the path of a file inside it"),
    "current": ([entry("./x")], "is not the path of a file inside it"),
    "folder": ([entry("box/", stat.S_IFDIR | 0o755)], "is not the path of a file inside it"),
    "backslash": ([entry("..\\x")], "is not a name that every system reads alike"),
    "drive": ([entry("C:x")], "is not a name that every system reads alike"),
    "line break": ([entry("a\nb")], "is not a name that every system reads alike"),
    "link": ([entry("box/link", stat.S_IFLNK | 0o777)], "'box/link' is not a plain file"),
    "device": ([entry("box/null", stat.S_IFCHR | 0o666)], "is not a plain file"),
    "pipe": ([entry("box/pipe", stat.S_IFIFO | 0o666)], "is not a plain file"),
    "no mode": ([entry("box/a", 0)], "is not a plain file"),
    "setuid folder bits": ([entry("box/a", stat.S_IFSOCK | 0o666)], "is not a plain file"),
    "bomb": ([entry("box/bomb", compress_type=zipfile.ZIP_DEFLATED)], "'box/bomb' is compressed"),
    "upper case": ([entry("box/a"), entry("box/A")], "'box/a' is there twice"),
    "file and folder": ([entry("box"), entry("box/a")], "'box' is there twice"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_is_written(tmp_path, case):
    entries, message = HOSTILE[case]
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(entry("box/good"), b"good")
        for one in entries:
            made.writestr(one, b"0" * 10_000)
    with pytest.raises(ArtifactError, match="refused, nothing was unpacked") as caught:
        archive.unpack(path, tmp_path / "out")
    assert message in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(entry("box/a"), b"seen by one reader")
        made.writestr(entry("box/a"), b"seen by another")
    with pytest.raises(ArtifactError, match="'box/a' is there twice"):
        archive.unpack(path, tmp_path)


def test_entries_that_share_their_bytes_cannot_grow(tmp_path):
    """A hundred entries of the directory that all point at one file of 100 kB."""
    path = tmp_path / "overlap.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(entry("box/0"), bytes(100_000))
        (one,) = made.filelist
        for number in range(1, 100):
            other = entry(f"box/{number}")
            for attribute in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(other, attribute, getattr(one, attribute))
            made.filelist.append(other)
    with pytest.raises(ArtifactError, match="its files are larger than itself"):
        archive.unpack(path, tmp_path / "out")


def many(path, names):
    """Write an archive whose directory has an empty file of each name; the names need not be told apart."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(entry(names[0]), b"")
        for name in names[1:]:
            made.filelist.append(entry(name, header_offset=0, CRC=0))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "twice"),
    [
        # As many as there can be without zip64: two billion pairs of names.
        ([*(f"box/{number}" for number in range(65_534)), "box/0"], "box/0"),
        # The longest names that there can be: each lies in 32,767 folders.
        ([*("a/" * 32_767 + str(number) for number in range(10)), "a"], "a"),
    ],
    ids=["many", "deep"],
)
def test_very_many_entries_are_refused_quickly(tmp_path, names, twice):
    path = many(tmp_path / "many.zip", names)
    started = time.process_time()
    with pytest.raises(ArtifactError, match=f"'{twice}' is there twice"):
        archive.unpack(path, tmp_path / "out")
    assert time.process_time() - started < 4


def test_an_encrypted_entry_is_refused(packed, tmp_path):
    content = bytearray(packed.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", content, content.index(signature) + offset, 1)
    packed.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"'box/a\.txt' is encrypted"):
        archive.unpack(packed, tmp_path / "out")


def test_a_name_that_would_be_refused_is_not_packed(tmp_path):
    with pytest.raises(ArtifactError, match=r"cannot hold '\.\./x', which is not the path of a file inside it"):
        archive.pack(tmp_path / "x.zip", {"../x": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_changed_byte_of_a_file_names_it(packed, tmp_path):
    content = packed.read_bytes()
    packed.write_bytes(content.replace(b"first", b"burst"))
    assert archive.unpack(packed, tmp_path / "out") == ["box/a.txt"]


def test_whatever_is_damaged_the_error_is_one_of_ours(packed, tmp_path):
    """Lengths that a broken download may have, and damaged bytes."""
    content, rng = packed.read_bytes(), random.Random(0)
    damaged = [content[:length] for length in range(0, len(content), 23)]
    for _ in range(300):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] = rng.randrange(256)
        damaged.append(bytes(changed))
    refused = 0
    for number, attempt in enumerate(damaged):
        packed.write_bytes(attempt)
        try:
            archive.unpack(packed, tmp_path / "out" / str(number))
        except ArtifactError:
            refused += 1
    assert refused > len(content) // 23
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box.zip", "out"]
