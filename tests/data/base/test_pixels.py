"""Rows of arrays that may lie in a mapped file."""

import numpy as np

from toolkit.data.base import pixels


def test_rows_of_a_mapped_file_are_copied_part_by_part(tmp_path, monkeypatch):
    array = np.arange(60, dtype=np.uint8).reshape(20, 3)
    np.save(tmp_path / "rows.npy", array)
    mapped, released = np.load(tmp_path / "rows.npy", mmap_mode="r"), []
    monkeypatch.setattr(pixels, "CHUNK_ROWS", 4)
    monkeypatch.setattr(pixels, "release", released.append)
    numbers = np.array([19, 0, 7, 7, 3])
    rows = pixels.gathered(mapped, numbers)
    np.testing.assert_array_equal(rows, array[numbers])
    assert not isinstance(rows, np.memmap)
    assert [one is mapped for one in released] == [True, True]
