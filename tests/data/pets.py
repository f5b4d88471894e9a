"""Folders of pictures of cats and dogs, made up, and how they are loaded."""

import numpy as np
import pytest
from PIL import Image

from toolkit import data
from toolkit.reading import Reading


def save(path, *, seed=0, size=(8, 8), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed, *path.name.encode()]).integers(0, 256, (*size[::-1], 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def save_classes(folder, *, per_class=10, names=("cat", "dog"), **options):
    for seed, name in enumerate(names):
        for number in range(per_class):
            save(folder / name / f"{number}.png", seed=seed + len(str(folder)), **options)
    return folder


def mixed(folder):
    save_classes(folder)
    save(folder / "cat" / "wide.png", size=(20, 10))
    save(folder / "dog" / "small.png", size=(4, 4))
    return folder


def load(folder, *, said=None, **reading):
    return data.load(str(folder), warn=pytest.fail if said is None else said.append, reading=Reading(**reading))
