"""Many files to one array, in little more memory than it takes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from toolkit import decoded, host, images, photos
from toolkit.cache import cache_folder
from toolkit.errors import DataError
from toolkit.images import ImageHeader
from toolkit.reading import AS_THEY_ARE, Reading


def save_all(folder, count, *, size=(16, 12), suffix=".png"):
    folder.mkdir(exist_ok=True)
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


@pytest.fixture
def in_a_file(tmp_path, monkeypatch):
    """A cache of its own, and no memory for pixels; return the folder that they are kept in."""
    monkeypatch.setattr(photos, "IN_MEMORY_SHARE", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder() / decoded.FOLDER


@pytest.fixture
def counted(monkeypatch):
    """Return the files that were decoded."""
    files, real = [], images.decode

    def decode(path, **options):
        files.append(path)
        return real(path, **options)

    monkeypatch.setattr(images, "decode", decode)
    return files


def test_what_the_memory_does_not_hold_is_decoded_once_and_mapped(tmp_path, in_a_file, counted):
    files = save_all(tmp_path, 5)
    expected = np.stack([images.read(file, channels=1) for file in files])
    counted.clear()
    for _ in range(2):
        mapped = read(files)
        assert isinstance(mapped, np.memmap)
        assert not mapped.flags.writeable
        np.testing.assert_array_equal(mapped, expected)
    assert sorted(counted) == files
    assert sorted(kept.suffix for kept in in_a_file.iterdir()) == [".json", decoded.SUFFIX]


def test_a_photo_that_changed_is_decoded_again(tmp_path, in_a_file, counted):
    files = save_all(tmp_path, 5)
    before = read(files).copy()
    Image.fromarray(255 - before[2, ..., 0]).save(files[2])
    after = read(files)
    np.testing.assert_array_equal(after[2], 255 - before[2])
    np.testing.assert_array_equal(after[[0, 1, 3, 4]], before[[0, 1, 3, 4]])
    assert len(counted) == 10


@pytest.mark.parametrize("damage", [lambda content: content[:-2], lambda content: b"x" + content[1:], lambda _: b""])
@pytest.mark.parametrize("suffix", [".json", decoded.SUFFIX])
def test_a_damaged_file_of_the_cache_is_taken_for_nothing(tmp_path, in_a_file, counted, suffix, damage):
    files = save_all(tmp_path, 5)
    expected = read(files).copy()
    (kept,) = in_a_file.glob(f"*{suffix}")
    kept.write_bytes(damage(kept.read_bytes()))
    for _ in range(2):
        np.testing.assert_array_equal(read(files), expected)
    assert len(counted) == 10  # and is made again


@pytest.mark.parametrize("numbers", [[5], [-1], [], [0, 1], [0, 1, 2, 3, 4]])
def test_a_document_that_speaks_of_other_photos_is_taken_for_nothing(tmp_path, in_a_file, counted, numbers):
    files = save_all(tmp_path, 5)
    files[1].write_bytes(files[1].read_bytes()[:-40])
    for time in (1, 2):
        found = photos.read_all({"training": files}, Reading(skip_unreadable=True), what="x")
        assert found.rows["training"].tolist() == [0, 2, 3, 4]
        assert len(counted) == 5 * time
        (kept,) = in_a_file.glob("*.json")
        document = json.loads(kept.read_text())
        document["found"]["unreadable"] = [[number, "x"] for number in numbers]
        kept.write_text(json.dumps(document))


def test_the_cache_remembers_which_photos_cannot_be_read(tmp_path, in_a_file, counted):
    files = save_all(tmp_path, 5)
    files[1].write_bytes(files[1].read_bytes()[:-40])  # its header is whole
    skipping = Reading(skip_unreadable=True)
    for _ in range(2):
        found = photos.read_all({"training": files[:3], "test": files[3:]}, skipping, what="x")
        assert {part: rows.tolist() for part, rows in found.rows.items()} == {"training": [0, 2], "test": [0, 1]}
        np.testing.assert_array_equal(found.pixels["training"][1], images.read(files[2], channels=1))
        np.testing.assert_array_equal(found.pixels["test"][1], images.read(files[4], channels=1))
        assert found.notes[0].startswith(f"images that cannot be read were left out (1): {files[1]}")
        with pytest.raises(DataError, match="x: 1 image cannot be read"):
            read(files)
    assert counted.count(files[0]) == 1


def test_photos_none_of_which_can_be_decoded_are_refused(tmp_path, in_a_file):
    files = save_all(tmp_path, 2)
    for file in files:
        file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(DataError, match="x: no image there can be read"):
        photos.read_all({"training": files}, Reading(skip_unreadable=True), what="x")
    assert list(in_a_file.iterdir()) == []


def test_the_newest_photos_are_kept(tmp_path, in_a_file, monkeypatch):
    sets = [save_all(tmp_path / str(number), 5) for number in range(3)]
    monkeypatch.setattr(decoded, "KEPT_BYTES", 2500)  # two of 960 bytes
    mapped = [read(sets[0]), read(sets[1])]
    first = mapped[0].copy()
    read(sets[2])
    assert len(list(in_a_file.glob(f"*{decoded.SUFFIX}"))) == len(list(in_a_file.glob("*.json"))) == 2
    np.testing.assert_array_equal(mapped[0], first)  # whoever has it open keeps it


def test_a_full_disk_is_an_error_that_says_what_is_needed(tmp_path, in_a_file, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    with pytest.raises(
        DataError, match=r"5 images of 12×16 pixels need 960 bytes, .* \(No space left on device\); make"
    ):
        read(save_all(tmp_path, 5))
    assert list(in_a_file.iterdir()) == []


def test_nothing_to_read_is_refused(tmp_path):
    with pytest.raises(DataError, match="x: no image there can be read"):
        read([])


def test_few_large_images_are_decoded_at_a_time(monkeypatch):
    monkeypatch.setattr(photos, "_cores", lambda: 64)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 10**9)
    # A quarter of 10^9 bytes holds one of 24 × 6.25 million.
    assert photos._threads([ImageHeader(2500, 2500, grey=True)]) == 1
    assert photos._threads([ImageHeader(100, 100, grey=True)]) == 64


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
