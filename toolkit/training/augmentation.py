"""Augmentation: training images are changed by chance each time that they are learned from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Kind:
    """One way to change an image.

    strength: taken if none is given, None if there is none to give; most: the highest that is allowed; layer: makes
    the Keras layer, of ``keras.layers`` and the strength. Pixels that come from outside are those of the edge.
    """

    strength: float | None
    most: float
    layer: Callable[[Any, float], Any]


# What is lost at these strengths is rarely what tells two classes apart: a tenth of a side, 10 degrees, a tenth of the
# size, a fifth of the contrast. Mirroring is by Keras' even chance.
KINDS = {
    "shift": Kind(0.1, 0.5, lambda layers, share: layers.RandomTranslation(share, share, fill_mode="nearest")),
    "rotate": Kind(10.0, 180.0, lambda layers, degrees: layers.RandomRotation(degrees / 360, fill_mode="nearest")),
    "zoom": Kind(0.1, 0.5, lambda layers, share: layers.RandomZoom(share, fill_mode="nearest")),
    "flip": Kind(None, 0.0, lambda layers, _: layers.RandomFlip("horizontal")),
    # Of one number Keras takes the increase alone.
    "contrast": Kind(0.2, 0.9, lambda layers, share: layers.RandomContrast((share, share), value_range=(0, 255))),
}
# States of Keras' generators are drawn below this: TensorFlow takes 32 bits of them, and each batch adds one.
_STATES = 2**30


def canonical(text: str) -> str:
    """Return a list of augmentations with every strength and in one order: ``shift=0.1,flip``.

    text: a comma list of the names of KINDS, each with ``=STRENGTH`` or without. Raises UsageError for what is none.
    """
    strengths = dict(_parsed(part.strip()) for part in text.split(","))
    if len(strengths) < len(text.split(",")):
        raise UsageError(f"'{text}' names an augmentation twice; give each once")
    ordered = ((name, strengths[name]) for name in KINDS if name in strengths)
    return ",".join(name if strength is None else f"{name}={strength:g}" for name, strength in ordered)


def require_images(text: str, shape: tuple[int, ...], *, origin: str) -> None:
    """Raise UsageError for images (H, W, C) of which nothing would be left to shift, turn or mirror."""
    height, width = shape[:2]
    if min(height, width) < 2:
        raise UsageError(
            f"{origin}: images of {height}×{width} pixels cannot be augmented by {text}; leave --augment out"
        )


class Augmentation:
    """Changes batches of images within a compiled function, by a chance that (seed, epoch) alone decide."""

    def __init__(self, keras: Any, text: str) -> None:
        """Take a list that ``canonical`` returned."""
        self._layers = [
            KINDS[name].layer(keras.layers, strength or 0.0) for name, strength in map(_parsed, text.split(","))
        ]

    def begin(self, *, seed: int, epoch: int) -> None:
        """Set the generators to what they are at the start of an epoch."""
        import numpy as np  # which the help of the command line does without

        for number, layer in enumerate(self._layers):
            layer.generator.state.assign(np.random.default_rng((seed, epoch, number)).integers(_STATES, size=2))

    def __call__(self, images: Any) -> Any:
        """Return pixels (N, H, W, C), 0 to 255, as changed pixels of float32."""
        for layer in self._layers:
            images = layer(images, training=True)
        return images


def _parsed(part: str) -> tuple[str, float | None]:
    """Return the name and the strength of one augmentation."""
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
