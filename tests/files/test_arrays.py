import io
import struct
import warnings
import zipfile

import numpy as np
import pytest

from toolkit import host
from toolkit.errors import DataError
from toolkit.files.arrays import Expected, opened_npz, read_npy

FLOATS = Expected(("float32",), (None, 3))
ROW = np.dtype([("label", "<u2"), ("share", "<f4")])


def read(path, name="a", expected=None):
    with opened_npz(path, what="arrays", error=DataError) as arrays:
        return arrays.read(name, expected)


def npy(header, content=b"", *, length=None):
    text = header if isinstance(header, bytes) else header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) if length is None else length) + text + content


def described(descr="'<f4'", shape="(2, 3)", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def zipped(path, content, name="a.npy", compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings(action="ignore"):
        for one in name if isinstance(name, list) else [name]:
            archive.writestr(one, content)
    return path


def patched(path, offset, content):
    """Overwrite a field of the first entry of the central directory."""
    whole = bytearray(path.read_bytes())
    start = whole.find(b"PK\x01\x02") + offset
    whole[start : start + len(content)] = content
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
        np.arange(4, dtype=">i8"),
        np.zeros((0, 3)),
        np.array(7.0),
        np.array([True, False]),
        np.array([(1, 0.5), (2, 0.25)], ROW),
    ],
    ids=str,
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read_as_numpy_reads_it(tmp_path, values, save):
    save(tmp_path / "x.npz", a=values)
    found = read(tmp_path / "x.npz")
    assert (found.dtype, found.shape) == (values.dtype.newbyteorder("="), values.shape)
    assert (found == values).all()


BROKEN = {
    "no magic": b"numpy" * 9,
    "cut header": npy(described())[:20],
    "a header that ends too early": npy(described(), length=4000),
    "a longer header than any": npy(" " * 5000 + described()),
    "nested headers": npy("(" * 3000),
    "a header that would be code": npy("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }"),
    "no text": npy(b"\xff\xfe\x00" * 9),
    "unknown type": npy(described("'<q9'"), bytes(24)),
    "impossible type": npy(described("'|V99999999999'"), bytes(24)),
    "objects": npy(described("'|O'"), bytes(24)),
    "texts of no characters": npy(described("'<U2'"), b"\xff" * 24),
    "a negative size": npy(described(shape="(-1, 3)"), bytes(24)),
    "a huge size": npy(described(shape=f"({2**60}, {2**60})"), bytes(24)),
    "no size and a huge one": npy(described(shape=f"(0, {2**70})")),
    "too many dimensions": npy(described(shape=f"({'1, ' * 100})"), bytes(4)),
    "too little": npy(described(), bytes(23)),
    "too much": npy(described(), bytes(25)),
    "a structure of objects": npy(described("[('a', '|O')]", "(1,)"), bytes(8)),
    "nested structures": npy(described("[('a', [('b', '<f4')])]", "(1,)"), bytes(4)),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_array_is_one_error_that_names_the_file(tmp_path, kind):
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as arrays: "):
        read(zipped(tmp_path / "x.npz", BROKEN[kind]))
    (tmp_path / "x.npy").write_bytes(BROKEN[kind])
    with pytest.raises(DataError, match=r"x\.npy: cannot be read as an array: "):
        read_npy(tmp_path / "x.npy", FLOATS, what="an array", error=DataError)


GOOD = npy(described(), bytes(24))
# Offsets in an entry of the central directory of a zip file (PKWARE APPNOTE.TXT, 4.3.12).
FLAGS, METHOD, CHECKSUM, COMPRESSED, SIZE = 8, 10, 16, 20, 24
LIES = {
    "encrypted": (FLAGS, b"\x01"),
    "compressed by bzip2": (METHOD, b"\x0c"),
    "compressed by lzma": (METHOD, b"\x0e"),
    "compressed as nobody knows": (METHOD, b"\x63"),
    "of another checksum": (CHECKSUM, b"\0\0\0\0"),
    "of a size that it cannot have": (SIZE, struct.pack("<I", 2**32 - 2)),
    "smaller than it is": (SIZE, struct.pack("<I", len(GOOD) - 4)),
    "longer than the file": (COMPRESSED, struct.pack("<I", 10**6)),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_zip_file_that_lies_is_one_error_that_names_the_file(tmp_path, kind):
    path = patched(zipped(tmp_path / "x.npz", GOOD), *LIES[kind])
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as arrays: "):
        read(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"no zip", b"\0" * 100])
def test_what_is_no_zip_file_is_said(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as arrays: "):
        read(tmp_path / "x.npz")


def test_damaged_bytes_within_are_said(tmp_path):
    path = zipped(tmp_path / "x.npz", npy(described(shape="(2000, 3)"), np.random.default_rng(0).bytes(24_000)))
    whole = bytearray(path.read_bytes())
    whole[1000:1100] = bytes(100)
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as arrays: "):
        read(path)


@pytest.mark.parametrize(
    ("name", "message"), [("a.txt", "is no array"), (["a.npy", "a.npy"], "there twice"), ("b.npy", "has no 'a'")]
)
def test_an_npz_file_whose_members_are_not_the_expected_arrays_is_refused(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        read(zipped(tmp_path / "x.npz", GOOD, name))


@pytest.mark.parametrize(
    "values", [np.zeros((2, 3)), np.zeros((2, 4), np.float32), np.zeros(3, np.float32), np.zeros((2, 3), np.int32)]
)
def test_another_array_than_is_expected_is_not_read(tmp_path, monkeypatch, values):
    np.savez(tmp_path / "x.npz", a=values)
    monkeypatch.setattr("toolkit.files.arrays._read_values", pytest.fail)
    with pytest.raises(DataError, match=r"'a' is .*; allowed: float32 \(any, 3\)"):
        read(tmp_path / "x.npz", expected=FLOATS)


@pytest.mark.parametrize("other", [[None, {}], np.array(["2026-11-27"], "M8[D]")], ids=["objects", "times"])
def test_an_array_that_is_neither_of_numbers_nor_of_texts_is_refused_if_it_is_asked_for(tmp_path, other):
    np.savez(tmp_path / "x.npz", a=np.arange(3), b=np.array(other))
    assert read(tmp_path / "x.npz").tolist() == [0, 1, 2]
    with pytest.raises(DataError, match=r"'b' is (object|datetime64\[D\]) \(\d,\); save it as numbers or texts"):
        read(tmp_path / "x.npz", "b")


def test_more_than_half_of_the_memory_is_refused_before_a_byte_is_inflated(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(2 * 10**6, np.uint8))
    assert read(tmp_path / "x.npz").size == 2 * 10**6
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 10**6)
    monkeypatch.setattr(zipfile.ZipFile, "open", pytest.fail)
    with pytest.raises(DataError, match=r"x\.npz: what it holds needs 2,000,128 bytes of memory; 1,000,000 are free"):
        read(tmp_path / "x.npz")


def test_a_npy_file_is_read_as_numpy_wrote_it(tmp_path):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "x.npy", values)
    assert (read_npy(tmp_path / "x.npy", FLOATS, what="an array") == values).all()
    written = io.BytesIO()
    np.save(written, values.astype(np.float64))
    (tmp_path / "y.npy").write_bytes(written.getvalue())
    with pytest.raises(
        DataError, match=r"y\.npy: cannot be read as an array: it is float64 \(2, 3\); allowed: float32"
    ):
        read_npy(tmp_path / "y.npy", FLOATS, what="an array", error=DataError)
