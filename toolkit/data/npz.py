"""A .npz file with x_train, y_train, x_test and y_test, the layout of keras.datasets."""

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from toolkit.data.base import Dataset, check_memory, make_dataset
from toolkit.errors import DataError

SUMMARY = "a .npz file with x_train, y_train, x_test, y_test (uint8 images, integer labels)"
KEYS = ("x_train", "y_train", "x_test", "y_test")


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a .npz file."""
    return path.suffix == ".npz" and path.is_file()


def load(path: Path) -> Dataset:
    """Read the four arrays; nothing is unpickled, and no array is read before its header is checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            missing = [key for key in KEYS if key not in members]
            if missing:
                raise DataError(f"{path}: {', '.join(missing)} missing; it holds {', '.join(members) or 'nothing'}")
            check_memory(sum(members[key].file_size for key in KEYS), what=str(path))
            images, labels, test_images, test_labels = (_read(archive, members[key], path) for key in KEYS)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: cannot be read as a .npz file: {error}") from error
    return make_dataset((images, labels, test_images, test_labels), name=path.stem, origin=str(path))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray[np.generic]:
    with archive.open(info) as stream:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        expected = stream.tell() + dtype.itemsize * math.prod(shape)
        if dtype.hasobject or expected != info.file_size:
            raise DataError(f"{path}: the header of {info.filename} ({dtype}, {shape}) does not fit its content")
    with archive.open(info) as stream:
        array: NDArray[np.generic] = npy.read_array(stream, allow_pickle=False)
    return array
