"""A folder with one folder of images per class: in parts (train, val, test), or split by a fixed seed."""

from pathlib import Path

from toolkit import images, photos
from toolkit.data.base import Dataset, folders
from toolkit.data.base.pixels import as_pixels
from toolkit.reading import AS_THEY_ARE, Reading

SUMMARY = "a folder with one folder of images per class (or train/, val/ and test/ with such folders)"
READS = ("image_size", "resize", "skip_unreadable")


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder that holds folders, whose first file is not one of another source."""
    return path.is_dir() and bool(folders.subfolders(path)) and folders.first_suffix(path) not in folders.OTHERS


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read every image under ``path``, also in folders within the classes.

    They are brought to the size that was asked for, that a model takes, or that most of them have, and stay grey where
    all of them are grey.
    """
    tree = folders.find(path, images.SUFFIXES, kind="images")
    listings = tree.listings
    read = photos.read_all({part: listing.files for part, listing in listings.items()}, reading, what=str(path))
    arrays = {part: (read.pixels[part], listings[part].labels[read.rows[part]]) for part in listings}
    for note in read.notes:
        tree.notes.add(note)
    return tree.dataset(path, arrays, read.reading, conversion=as_pixels)
