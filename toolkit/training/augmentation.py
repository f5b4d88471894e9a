"""Augmentation: training images are changed at random every time they are learned from."""

from dataclasses import dataclass
from math import pi
from typing import Any

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Kind:
    """One way to change an image. strength: the default, None if the kind takes none; most: the greatest allowed."""

    strength: float | None
    most: float


# What is lost at these strengths is rarely what tells two classes apart: a tenth of a side, 10 degrees, a tenth of the
# size, a fifth of the contrast. Mirroring is by an even chance.
KINDS = {
    "shift": Kind(0.1, 0.5),
    "rotate": Kind(10.0, 180.0),
    "zoom": Kind(0.1, 0.5),
    "flip": Kind(None, 0.0),
    "contrast": Kind(0.2, 0.9),
}
# Numbers that are drawn for each image, whatever is asked for: down and across, turn, size, mirror, contrast.
_DRAWN = 6
# Seeds are drawn below this: TensorFlow takes 32 bits of them, and each batch adds one.
_SEEDS = 2**30


def canonical(text: str) -> str:
    """Return a list of augmentations with every strength and in one order: ``shift=0.1,flip``.

    text: a comma list of the names of KINDS, each with ``=STRENGTH`` or without. Raises UsageError for what is none.
    """
    strengths = dict(_parsed(part.strip()) for part in text.split(","))
    if len(strengths) < len(text.split(",")):
        raise UsageError(f"'{text}' names an augmentation twice; give each once")
    ordered = ((name, strengths[name]) for name in KINDS if name in strengths)
    return ",".join(name if strength is None else f"{name}={strength:g}" for name, strength in ordered)


class Augmentation:
    """Changes batches of images within a compiled function, by random numbers that depend on (seed, epoch) alone.

    An image is shifted, turned, zoomed and mirrored by one map of its pixels. That is faster than one map after the
    other, and the image is interpolated once. Pixels that come from outside are those of the edge.
    """

    def __init__(self, tf: Any, text: str) -> None:
        """Take a list that ``canonical`` returned."""
        self._tf = tf
        self._strengths = dict(_parsed(part) for part in text.split(","))
        self._seed = tf.Variable((0, 0), trainable=False, dtype=tf.int64)

    def begin(self, *, seed: int, epoch: int) -> None:
        """Seed the random numbers for the start of an epoch."""
        import numpy as np  # which the help of the command line does without

        self._seed.assign(np.random.default_rng((seed, epoch)).integers(_SEEDS, size=2))

    def __call__(self, images: Any) -> Any:
        """Return pixels (N, H, W, C), 0 to 255, as changed pixels of float32."""
        tf, strengths = self._tf, self._strengths
        images = tf.cast(images, tf.float32)
        drawn = tf.random.stateless_uniform((tf.shape(images)[0], _DRAWN), self._seed, minval=-1.0)
        self._seed.assign_add((0, 1))
        if strengths.keys() - {"contrast"}:
            images = self._placed(images, *tf.unstack(drawn, axis=1)[:-1])
        if (contrast := strengths.get("contrast")) is not None:
            mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
            factor = 1 + contrast * tf.reshape(drawn[:, -1], (-1, 1, 1, 1))
            images = tf.clip_by_value((images - mean) * factor + mean, 0, 255)
        return images

    def _placed(self, images: Any, down: Any, across: Any, turn: Any, size: Any, mirror: Any) -> Any:
        """Return images whose pixels come from elsewhere in them. down, …: (N,), from -1 to 1."""
        tf, strength = self._tf, self._strengths
        height, width = images.shape[1:3]
        shift, angle = strength.get("shift") or 0.0, (strength.get("rotate") or 0.0) / 180 * pi * turn
        scale = 1 + (strength.get("zoom") or 0.0) * size
        cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
        side = tf.where(mirror < 0, -1.0, 1.0) if "flip" in strength else tf.ones_like(mirror)
        # Where a pixel comes from: of its place seen from the middle, turned, scaled and mirrored.
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        across_x, across_y, down_x, down_y = side * cosine, side * sine, -sine, cosine
        from_x = middle_x + shift * width * across - across_x * middle_x - down_x * middle_y
        from_y = middle_y + shift * height * down - across_y * middle_x - down_y * middle_y
        nothing = tf.zeros_like(side)
        placed = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack([across_x, down_x, from_x, across_y, down_y, from_y, nothing, nothing], axis=1),
            output_shape=(height, width),
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
        return tf.ensure_shape(placed, images.shape)


def _parsed(part: str) -> tuple[str, float | None]:
    name, equals, given = part.partition("=")
    if name not in KINDS:
        allowed = ", ".join(
            known if kind.strength is None else f"{known}={kind.strength:g}" for known, kind in KINDS.items()
        )
        raise UsageError(
            f"unknown augmentation '{name}'; allowed, with these strengths unless others are given: {allowed}"
        )
    kind = KINDS[name]
    if kind.strength is None:
        if equals:
            raise UsageError(f"'{part}': {name} takes no strength; give it as {name}")
        return name, None
    try:
        strength = float(given) if equals else kind.strength
    except ValueError:
        strength = 0.0
    if not 0 < strength <= kind.most:
        raise UsageError(f"'{part}': the strength of {name} must be a number above 0, and at most {kind.most:g}")
    return name, strength
