"""The user's cache: decoded photos, and documents of what took long to find out."""

import pytest

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import decoded
from toolkit.bench.roofline import Roofline, Roofs
from toolkit.errors import ToolkitError
from toolkit.files.kept import Kept
from toolkit.training.arithmetic import Arithmetic, Tried

SHAPE = (5, 6, 6, 3)
PHOTOS = Kept(decoded.FOLDER, {"photos": "made up"})
ROOFS, TRIAL = Kept("roofline", {"cpu": "made up"}), Kept("training", {"cpu": "made up"})


def within(folder, do):
    """Do something with its cache in a folder; ToolkitError if that gives nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        found = do()
    if found is None:
        raise ToolkitError("taken for nothing")
    return found


def _photos(folder):
    def fill(pixels):
        pixels[:-1] = made.pixels(SHAPE[0] - 1, *SHAPE[1:])
        return {2: "2.png: cannot be read"}

    within(folder, lambda: decoded.keep(PHOTOS, SHAPE, fill))
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _find(folder):
    found = within(folder, lambda: decoded.find(PHOTOS, SHAPE))
    assert len(found.pixels) + len(found.unreadable) == len({*range(SHAPE[0]), *found.unreadable})
    found.pixels.max()


def _documents(folder):
    roofs = {"int8": Roofline(1e11, ((1 << 18, 4e10), (1 << 20, 2e10)))}
    trial = Arithmetic(True, 50, (Tried(True, 50, 1e-4), Tried(False, 0, 2e-4)))
    within(folder, lambda: ROOFS.write(roofs) or TRIAL.write(trial) or folder)
    return sorted(folder.rglob("*.json"))


def _read(folder):
    for roof in within(folder, lambda: ROOFS.read(Roofs)).values():
        roof.attainable(1 << 20, 1 << 19)
    _ = within(folder, lambda: TRIAL.read(Arithmetic)).words


TARGETS = {
    "decoded photos": Target(200, _photos, _find, changes.by_content),
    "documents of the cache": Target(200, _documents, _read, changes.as_json),
}
