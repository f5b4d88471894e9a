"""Pixels as a PNG within a page, by nothing but zlib: a device may have no Pillow."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

# Colour types of PNG by the number of channels (https://www.w3.org/TR/png-3, "11.2.1 IHDR").
_COLOUR_TYPES = {1: 0, 3: 2}
_BIT_DEPTH = 8


def data_url(pixels: NDArray[np.uint8]) -> str:
    """Return an image, (H, W, C) uint8 with C of 1 or 3, as a ``data:`` address."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, _BIT_DEPTH, _COLOUR_TYPES[channels], 0, 0, 0)
    # Each row begins with its filter, here none.
    rows = np.hstack([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
