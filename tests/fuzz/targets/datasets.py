"""Data sets: IDX files, plain and compressed, archives of arrays, folders of images."""

import gzip

import numpy as np
from PIL import Image

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import data
from toolkit.data.base import idx_header
from toolkit.data.idx import FILES

TRAINING, TEST = 30, 12


def _idx(suffix, pack):
    def prepare(folder):
        for name in FILES:
            count = TRAINING if name.startswith("train") else TEST
            values = made.pixels(count, 6, 6, seed=count) if "images" in name else made.labels(count)
            (folder / f"{name}{suffix}").write_bytes(pack(idx_header(values.shape) + values.tobytes()))
        return [folder / f"{FILES[0]}{suffix}", folder / f"{FILES[3]}{suffix}"]

    return prepare


def _npz(folder):
    arrays = {"x_train": made.pixels(TRAINING, 6, 6), "y_train": made.labels(TRAINING)}
    arrays |= {"x_test": made.pixels(TEST, 6, 6, seed=1), "y_test": made.labels(TEST)}
    np.savez_compressed(folder / "data.npz", **arrays)
    return [folder / "data.npz"]


def _folders(folder):
    paths = []
    for name in ("cats", "dogs"):
        (folder / name).mkdir()
        for number in range(8):
            paths.append(folder / name / f"{number}.png")
            Image.fromarray(made.pixels(6, 6, seed=len(paths))).save(paths[-1])
    return [paths[0]]


def _load(name):
    def read(folder):
        data.load(str(folder / name), warn=lambda text: None).describe_test()

    return read


TARGETS = {
    "IDX": Target(500, _idx("", bytes), _load(""), changes.as_bytes),
    "compressed IDX": Target(300, _idx(".gz", gzip.compress), _load(""), changes.as_gzip),
    "data in an archive of arrays": Target(500, _npz, _load("data.npz"), changes.as_zip),
    "folder of images": Target(200, _folders, _load(""), changes.as_bytes),
}
