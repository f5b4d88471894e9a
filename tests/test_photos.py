"""Many files to one array, in little more memory than it takes."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from toolkit import host, images, photos
from toolkit.errors import DataError
from toolkit.images import Look
from toolkit.reading import AS_THEY_ARE


def save_all(folder, count, *, size=(16, 12), suffix=".png"):
    rng = np.random.default_rng(0)
    files = [folder / f"{number:04}{suffix}" for number in range(count)]
    for file in files:
        Image.fromarray(rng.integers(0, 256, size[::-1]).astype(np.uint8)).save(file)
    return files


def read(files):
    return photos.read_all({"training": files}, AS_THEY_ARE, what="x").pixels["training"]


def test_every_image_is_in_its_row(tmp_path):
    files = save_all(tmp_path, 600)  # more than two blocks
    pixels = read(files)
    for row in (0, 255, 256, 599):
        np.testing.assert_array_equal(pixels[row], images.read(files[row], channels=1))


def test_what_the_memory_does_not_hold_lies_in_a_file_without_a_name(tmp_path, monkeypatch):
    files = save_all(tmp_path, 5)
    in_memory = read(files)
    monkeypatch.setattr(photos, "IN_MEMORY_SHARE", 0)
    monkeypatch.setattr(photos, "cache_folder", lambda: tmp_path / "cache")
    mapped = read(files)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, in_memory)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_an_error_that_says_what_is_needed(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos, "IN_MEMORY_SHARE", 0)
    monkeypatch.setattr(photos, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("os.posix_fallocate", refuse)
    with pytest.raises(
        DataError, match=r"5 images of 12×16 pixels need 960 bytes, .* \(No space left on device\); make"
    ):
        read(save_all(tmp_path, 5))


def test_nothing_to_read_is_refused(tmp_path):
    with pytest.raises(DataError, match="x: no image there can be read"):
        read([])


def test_few_large_images_are_decoded_at_a_time(monkeypatch):
    monkeypatch.setattr(photos, "_cores", lambda: 64)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 10**9)
    assert photos._threads([Look(2500, 2500, grey=True)]) == 1  # a quarter of 10^9 bytes holds one of 24 × 6.25 million
    assert photos._threads([Look(100, 100, grey=True)]) == 64


PROGRAM = """
import sys
from toolkit import data, host, photos

photos.IN_MEMORY_SHARE = float(sys.argv[2])
data.load(sys.argv[1] + "/few", warn=print)
before = host.process_memory_bytes("VmRSS")
found = data.load(sys.argv[1] + "/many", warn=print)
found.digests, found.learned_digests
pixels = sum(split.images.nbytes for split in found.splits.values())
print(host.process_memory_bytes("VmHWM") - before, pixels)
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, count in (("few", 10), ("many", 2400)):
        for label in ("cat", "dog"):
            (folder / name / label).mkdir(parents=True)
            save_all(folder / name / label, count, size=(100, 100), suffix=".pgm")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("share", "most"), [(0.9, 1.5), (0, 0.6)], ids=["in memory", "in a file"])
def test_a_folder_is_loaded_and_looked_at_without_a_second_copy(folders, share, most):
    """48 MB of pixels: less than half as much beside them, and where they lie in a file less than they have."""
    command = [sys.executable, "-c", PROGRAM, folders, str(share)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    grown, size = map(int, done.stdout.split())
    assert size == 48_000_000
    assert grown < most * size
