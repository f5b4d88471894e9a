"""What pixels may mean to a model: their range, the order of channels, polarity and orientation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import STANDARD, TORCH, Convention, byte_range
from toolkit.manifest import TensorSpec

# Names and sentences of ranges that are not the standard ones, by what they come of.
_DIVIDED_TWICE = ("double normalization", "that were divided by 255 twice", Convention((0.0,), (1 / 255,)))
_SIGNED_BYTES = ("missing dequantization", "as integers from -128 to 127", Convention((-128.0,), (127.0,)))


@dataclass(frozen=True)
class PixelMeaning:
    """One way to understand the input of a model of images."""

    convention: Convention
    inverted: bool = False
    blue_first: bool = False
    transposed: bool = False

    def rows(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return pixels (N, H, W, C) as the model is to see them."""
        seen = 255 - images if self.inverted else images
        seen = seen[..., ::-1] if self.blue_first else seen
        return np.ascontiguousarray(seen.swapaxes(1, 2) if self.transposed else seen)

    def others(self, images: NDArray[Any], spec: TensorSpec) -> Iterator[tuple[str, str, "PixelMeaning"]]:
        """Yield a name, a sentence and a meaning that differs from this one in one thing. spec: of the input."""
        ranges = [*(("input range", f"as {one}", one) for one in STANDARD), _DIVIDED_TWICE, _SIGNED_BYTES]
        if spec.scale is not None and np.dtype(spec.dtype).kind in "iu":
            plain = byte_range(spec)
            ranges.append(("quantization", f"as bytes, whatever its scale says ({plain})", plain))
        if images.shape[3] == 3:
            ranges.append(("input range", f"as {TORCH}", TORCH))
            channels = "red, green, blue" if self.blue_first else "blue, green, red"
            yield "channel order", f"it takes channels as {channels}", replace(self, blue_first=not self.blue_first)
        for name, text, one in ranges:
            if str(one) != str(self.convention):
                other = replace(self.convention, low=one.low, high=one.high)
                yield name, f"it takes pixels {text}", replace(self, convention=other)
        yield "polarity", "it takes inverted images (255 - pixel)", replace(self, inverted=not self.inverted)
        if images.shape[1] == images.shape[2]:
            yield "orientation", "it takes rows and columns exchanged", replace(self, transposed=not self.transposed)
