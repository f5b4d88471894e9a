"""Bodies of requests to images: read within limits, and held in memory alone."""

import asyncio
from typing import Any

import msgspec
import numpy as np
from starlette.requests import ClientDisconnect, Request

from toolkit import images
from toolkit.errors import DataError, ImageTooLargeError
from toolkit.images import Received
from toolkit.serve import limits
from toolkit.serve.refusal import RefusedError

JSON = "application/json"
TYPES = ("image/*", "application/octet-stream", JSON)
ALLOWED = 'give an image file as the body, or JSON: {"pixels": [[0, 255, …], …]}, rows of whole numbers from 0 to 255'


async def read(request: Request) -> Received:
    """Return the image of a request; RefusedError for what is too large, too slow or none."""
    kind = request.headers.get("content-type", TYPES[1]).partition(";")[0].strip().lower()
    if kind not in TYPES[1:] and not kind.startswith("image/"):
        raise RefusedError(415, f"the content type is '{kind[:100]}'; allowed: {', '.join(TYPES)}", closing=True)
    body = await _body(request)
    if not body:
        raise RefusedError(400, f"the body is empty; {ALLOWED}")
    return Received(from_json(body) if kind == JSON else body)


async def _body(request: Request) -> bytes:
    large = RefusedError(413, f"the body has more than {limits.BODY_BYTES:,} bytes, the most allowed", closing=True)
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:20]) > limits.BODY_BYTES:
        raise large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > limits.BODY_BYTES:
                    raise large
    except TimeoutError as error:
        raise RefusedError(408, f"the body took more than {limits.BODY_S:g} s", closing=True) from error
    except ClientDisconnect as error:
        raise RefusedError(400, "the client went away", closing=True) from error
    return bytes(body)


def from_json(body: bytes) -> bytes:
    """Return the pixels of a JSON document, (H, W) or (H, W, 3), as a PGM or PPM file; else a RefusedError."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedError(400, f"the body is no JSON: {error}") from error
    if not isinstance(document, dict) or "pixels" not in document:
        raise RefusedError(400, f"the document has no 'pixels'; {ALLOWED}")
    pixels = _array(document["pixels"])
    header = f"P{5 if pixels.ndim == 2 else 6} {pixels.shape[1]} {pixels.shape[0]} 255\n"
    return header.encode() + pixels.astype(np.uint8).tobytes()


def _array(pixels: Any) -> "np.ndarray[Any, Any]":
    try:
        array = np.asarray(pixels)
    except (ValueError, OverflowError, RecursionError) as error:
        raise RefusedError(422, f"'pixels' has rows of different lengths; {ALLOWED}") from error
    if array.dtype.kind not in "iu" or array.ndim not in (2, 3) or not array.size:
        raise RefusedError(422, f"'pixels' is no image; {ALLOWED}")
    if array.ndim == 3 and array.shape[2] != 3:
        raise RefusedError(422, f"'pixels' is {array.shape}; allowed: (height, width) or (height, width, 3)")
    if array.min() < 0 or array.max() > 255:
        raise RefusedError(422, f"'pixels' has numbers from {array.min()} to {array.max()}; allowed: 0 to 255")
    return array


def check_size(image: Received) -> tuple[int, int]:
    """Return the height and width of an image; RefusedError for what is none, or has more pixels than are allowed."""
    try:
        header = images.look(image, most=limits.PIXELS)
    except DataError as error:
        raise RefusedError(413 if isinstance(error, ImageTooLargeError) else 422, str(error)) from error
    return header.height, header.width
