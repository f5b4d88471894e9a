"""Scenes in which a person reads a digit without effort. A scene takes the digit's ink, and gives an image to save."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 400
PAPER, INK = 235.0, 50.0
Random = np.random.Generator


@dataclass(frozen=True)
class Scene:
    """What stands in the table, what draws it, and how it is saved. slow: only some digits are drawn."""

    name: str
    draw: Callable[[np.ndarray, Random], Image.Image]
    suffix: str = ".png"
    slow: bool = False


def placed(ink: np.ndarray, rng: Random, *, side: int = SIDE, height: float = 0.5, shift: float = 0.1) -> np.ndarray:
    """Return the ink on a page of a side: the digit is ``height`` of it high, and away from the centre by a shift."""
    pixels = max(4, round(height * side))
    scale = pixels / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    digit = np.asarray(Image.fromarray(np.uint8(ink * 255)).resize(size, Image.Resampling.BICUBIC)) / 255
    page = np.zeros((side, side))
    free = side - digit.shape[0], side - digit.shape[1]
    top, left = (int(np.clip(f / 2 + rng.uniform(-shift, shift) * side, 0, f)) for f in free)
    page[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return page


def paint(paper: np.ndarray | float, ink: np.ndarray, *, dark: float = INK) -> np.ndarray:
    """Lay ink on paper; ink in the shadow is darker too."""
    return paper * (1 - ink) + np.minimum(dark * np.asarray(paper) / PAPER, paper) * ink


def image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255)))


def plain(ink: np.ndarray, rng: Random) -> Image.Image:
    return image(paint(PAPER, placed(ink, rng)))


def chalk(ink: np.ndarray, rng: Random) -> Image.Image:
    return image(45 + 180 * placed(ink, rng) + rng.normal(0, 4, (SIDE, SIDE)))


def corner(ink: np.ndarray, rng: Random) -> Image.Image:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    far = rng.choice([200, 150, 110])
    return image(paint(PAPER + (far - PAPER) * (x + y) / (2 * SIDE), placed(ink, rng)))


def shadow(ink: np.ndarray, rng: Random) -> Image.Image:
    """The edge of a shadow runs through the digit at any angle, sharp or soft."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(1, 25)
    light = 1 / (1 + np.exp(-(x * np.cos(angle) + y * np.sin(angle)) / soft))
    return image(paint(PAPER * (0.5 + 0.5 * light), placed(ink, rng)))


def _ruled(paper: float, step: int, width: int, grey: float, *, squared: bool, start: int) -> np.ndarray:
    page = np.full((SIDE, SIDE), paper)
    for at in range(start, SIDE, step):
        page[at : at + width] = grey
        if squared:
            page[:, at : at + width] = grey
    return page


def squared(ink: np.ndarray, rng: Random) -> Image.Image:
    page = _ruled(
        PAPER, int(rng.integers(20, 50)), int(rng.integers(1, 3)), 170, squared=True, start=int(rng.integers(20))
    )
    return image(paint(page, placed(ink, rng)))


def ruled_line(ink: np.ndarray, rng: Random) -> Image.Image:
    """A dark line below the digit, as long as the page."""
    page = np.full((SIDE, SIDE), PAPER)
    at = int(rng.integers(345, 390))
    page[at : at + 3] = 70
    return image(paint(page, placed(ink, rng, shift=0.05)))


def ruled_page(ink: np.ndarray, rng: Random) -> Image.Image:
    """Dark lines a page long, some of them through the digit; the page is held askew."""
    page = _ruled(PAPER, 66, 2, 90, squared=False, start=int(rng.integers(66)))
    turned = image(page).rotate(rng.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=round(PAPER))
    return image(paint(np.asarray(turned, float), placed(ink, rng)))


def frame(ink: np.ndarray, rng: Random) -> Image.Image:
    """A box around the digit, drawn with a pen like it."""
    page = Image.new("L", (SIDE, SIDE), round(PAPER))
    inset = int(rng.integers(20, 50))
    ImageDraw.Draw(page).rectangle(
        (inset, inset, SIDE - inset, SIDE - inset), outline=60, width=int(rng.integers(3, 9))
    )
    return image(paint(np.asarray(page, float), placed(ink, rng, shift=0.04)))


def scan_border(ink: np.ndarray, rng: Random) -> Image.Image:
    page = paint(PAPER, placed(ink, rng))
    for edge in (page, page[::-1], page.T, page.T[::-1]):
        edge[: int(rng.integers(0, 18))] = rng.uniform(0, 30)
    return image(page)


def card(ink: np.ndarray, rng: Random) -> Image.Image:
    """A white card, turned a little, on a dark desk."""
    side = int(rng.integers(230, 330))
    mask = Image.new("L", (SIDE, SIDE), 0)
    start = (SIDE - side) // 2
    mask.paste(255, (start, start, start + side, start + side))
    angle = rng.uniform(-12, 12)
    lit = np.asarray(mask.rotate(angle, Image.Resampling.BICUBIC)) / 255
    turned = Image.fromarray(np.uint8(255 * placed(ink, rng, height=0.5 * side / SIDE, shift=0.03)))
    written = np.asarray(turned.rotate(angle, Image.Resampling.BICUBIC)) / 255
    desk = 60 + rng.normal(0, 5, (SIDE, SIDE))
    return image(desk * (1 - lit) + paint(PAPER, written) * lit)


def finger(ink: np.ndarray, rng: Random) -> Image.Image:
    """A finger reaches into the photo from a corner or a side."""
    page = paint(PAPER, placed(ink, rng, shift=0.05))
    mask = Image.new("L", (SIDE, SIDE), 0)
    x, y = ((0, 0), (SIDE, 0), (0, SIDE), (SIDE, SIDE))[rng.integers(4)]
    reach, width = rng.uniform(70, 120), int(rng.integers(60, 100))
    tip = (x + np.sign(SIDE / 2 - x) * reach, y + np.sign(SIDE / 2 - y) * reach * rng.uniform(0.3, 0.7))
    draw = ImageDraw.Draw(mask)
    draw.line([(x, y), tip], fill=255, width=width)
    draw.ellipse((tip[0] - width / 2, tip[1] - width / 2, tip[0] + width / 2, tip[1] + width / 2), fill=255)
    # A finger does not touch what it shows.
    covers = np.asarray(mask.filter(ImageFilter.GaussianBlur(3))) / 255
    return image(page * (1 - covers) + 120 * covers)


def canvas(ink: np.ndarray, rng: Random) -> Image.Image:
    """A drawing program's canvas of MNIST's size and colours: the digit is small or not in the middle."""
    return image(255 * placed(ink, rng, side=28, height=rng.uniform(0.45, 0.72), shift=0.3))


def pencil(ink: np.ndarray, rng: Random) -> Image.Image:
    """Faint grey strokes with gaps of the paper's grain in them."""
    grain = rng.normal(0, 5, (SIDE, SIDE))
    strokes = placed(ink, rng) * np.clip(rng.normal(0.9, 0.25, (SIDE, SIDE)), 0, 1)
    return image(paint(225.0, strokes, dark=150) + grain)


def rotated(ink: np.ndarray, rng: Random) -> Image.Image:
    page = plain(ink, rng)
    return page.rotate(rng.uniform(-25, 25), Image.Resampling.BICUBIC, fillcolor=round(PAPER))


def noise(ink: np.ndarray, rng: Random) -> Image.Image:
    return image(paint(PAPER, placed(ink, rng)) + rng.normal(0, 20, (SIDE, SIDE)))


def camera(ink: np.ndarray, rng: Random) -> Image.Image:
    """12 megapixels, light that fades, blur and grain, and a camera that was held upright: EXIF says so."""
    page = paint(PAPER, placed(ink, rng, side=1000, height=rng.uniform(0.2, 0.5)))
    y, x = np.mgrid[0:1000, 0:1000]
    page = page * (1 - 0.4 * np.hypot(x - 300, y - 400) / 1000)
    large = image(page + rng.normal(0, 6, page.shape)).resize((3000, 4000), Image.Resampling.BICUBIC)
    turned = large.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise by 90°
    turned.info["exif"] = exif.tobytes()
    return turned


def black_on_white(ink: np.ndarray, rng: Random) -> Image.Image:
    return image(255.0 * (placed(ink, rng, side=100, height=0.6) < 0.5)).convert("1")


def white_on_black(ink: np.ndarray, rng: Random) -> Image.Image:
    return image(255.0 * (placed(ink, rng, side=100, height=0.6) >= 0.5)).convert("1")


def tight(ink: np.ndarray, rng: Random) -> Image.Image:
    """The photo was cut to the digit."""
    page = np.pad(ink, int(rng.integers(0, 4)))
    return image(paint(PAPER, page))


def specks(ink: np.ndarray, rng: Random) -> Image.Image:
    page = paint(PAPER, placed(ink, rng))
    for _ in range(40):
        top, left = rng.integers(0, SIDE - 6, 2)
        side = rng.integers(1, 6)
        page[top : top + side, left : left + side] = 60
    return image(page)


SCENES = (
    Scene("dark ink on light paper", plain),
    Scene("chalk on a board", chalk),
    Scene("paper that gets darker to a corner", corner),
    Scene("the edge of a shadow through the digit", shadow),
    Scene("squared paper", squared),
    Scene("a dark ruled line below", ruled_line),
    Scene("ruled lines through the digit, askew", ruled_page),
    Scene("a drawn frame", frame),
    Scene("a scan's black border", scan_border),
    Scene("a white card on a dark desk", card),
    Scene("a finger in the corner", finger),
    Scene("a 28×28 canvas, off the centre", canvas),
    Scene("pencil", pencil),
    Scene("turned by up to 25°", rotated),
    Scene("noise", noise),
    Scene("JPEG of 12 megapixels, turned by EXIF", camera, suffix=".jpg", slow=True),
    Scene("100×100, black on white", black_on_white),
    Scene("100×100, white on black", white_on_black),
    Scene("cut to the digit", tight),
    Scene("dust", specks),
)
