"""IDX files: mapped where they can be, and refused by name where they are damaged or claim more than they hold."""

import gzip
import struct

import numpy as np
import pytest

from tests.data.test_sources import save_idx
from toolkit import data
from toolkit.data import base, idx
from toolkit.errors import DataError


def test_a_plain_idx_file_is_mapped_not_read(tmp_path):
    loaded = data.load(str(save_idx(tmp_path / "b")), warn=pytest.fail)
    mapped = loaded.train.images
    while isinstance(mapped, np.ndarray) and not isinstance(mapped, np.memmap):
        mapped = mapped.base
    assert isinstance(mapped, np.memmap)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x03",
        b"\0\0\x0d\x01" + struct.pack(">I", 4) + bytes(16),
        base.idx_header((240, 8, 8)),
        base.idx_header((240, 8, 8)) + bytes(240 * 64 + 1),
        base.idx_header((2**31, 2**31, 2**31)),
        base.idx_header((0, 8, 8)),
        b"\x1f\x8b not gzip",
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_a_wrong_idx_file_is_refused_by_name(tmp_path, content, compress):
    folder = save_idx(tmp_path / "idx", compress=compress)
    path = folder / (f"{idx.FILES[0]}.gz" if compress else idx.FILES[0])
    path.write_bytes(gzip.compress(content) if compress and content[:2] != b"\x1f\x8b" else content)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte|idx:"):
        data.load(str(folder), warn=pytest.fail)


def test_a_missing_idx_file_is_named(tmp_path):
    folder = save_idx(tmp_path / "idx")
    (folder / idx.FILES[3]).unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte missing"):
        data.load(str(folder), warn=pytest.fail)


@pytest.mark.parametrize("kept_by", ["idx", "table"])
def test_a_link_in_a_folder_of_data_is_not_followed(tmp_path, kept_by):
    folder = tmp_path / "given"
    if kept_by == "idx":
        link = save_idx(folder) / idx.FILES[1]
    else:
        folder.mkdir()
        link = folder / "train.csv"
        link.write_text("length,species\n1,pike\n")
    link.rename(tmp_path / "elsewhere")
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError) as refused:
        data.load(str(folder), warn=pytest.fail)
    assert str(refused.value) == f"{link}: a symbolic link; put there what it leads to"


def test_digests_are_those_of_the_idx_files():
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    with_channel = images[..., None]
    assert base.idx_sha256(images) == base.idx_sha256(with_channel)
    assert base.idx_header((2, 2, 2)) == bytes.fromhex("00000803000000020000000200000002")


@pytest.mark.parametrize("claimed", [(2**32 - 1,) * 3, (2**20, 28, 28)])
def test_an_idx_file_that_claims_what_it_cannot_hold_takes_no_memory(tmp_path, claimed):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", *claimed) + bytes(100)))
    with pytest.raises(
        DataError, match=r"x\.gz: its header claims [\d,]+ bytes, which \d+ compressed ones cannot hold"
    ):
        idx.read(path)
