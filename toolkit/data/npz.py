"""A .npz file with x_train, y_train, x_test and y_test, the layout of keras.datasets."""

from pathlib import Path

from toolkit.data.base import Dataset, make_dataset
from toolkit.errors import DataError
from toolkit.files.arrays import opened_npz

SUMMARY = "a .npz file with x_train, y_train, x_test, y_test (uint8 images, integer labels)"
KEYS = ("x_train", "y_train", "x_test", "y_test")


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a .npz file."""
    return path.suffix == ".npz" and path.is_file()


def load(path: Path) -> Dataset:
    """Read the four arrays; other arrays of the file are left where they are."""
    with opened_npz(path, what="a .npz file", error=DataError) as arrays:
        missing = [key for key in KEYS if key not in arrays.names]
        if missing:
            raise DataError(f"{path}: {', '.join(missing)} missing; it holds {', '.join(arrays.names) or 'nothing'}")
        images, labels, test_images, test_labels = (arrays.read(key) for key in KEYS)
    return make_dataset((images, labels, test_images, test_labels), name=path.stem, origin=str(path))
