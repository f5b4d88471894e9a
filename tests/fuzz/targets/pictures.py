"""Images of every format that is read, as they are and as digits."""

from PIL import Image

from tests.fuzz import made
from tests.fuzz.target import Target
from toolkit import digits, images

MODES = {".png": "RGBA", ".jpg": "RGB", ".bmp": "L", ".gif": "P", ".tif": "RGB", ".webp": "RGB", ".pgm": "L"}


def _prepare(folder):
    paths = [folder / f"image{suffix}" for suffix in MODES]
    for path, mode in zip(paths, MODES.values(), strict=True):
        Image.fromarray(made.pixels(24, 20, 3)).convert(mode).save(path)
    return paths


def _read(folder):
    for path in folder.iterdir():
        images.look(path)
        images.read(path, channels=3)
        for digit in digits.find(images.read(path, channels=1)[..., 0]).digits:
            digits.to_form(digit.ink, height=28, width=28)


TARGETS = {"images": Target(1000, _prepare, _read)}
