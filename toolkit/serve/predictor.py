"""From one image to what each artifact says of it."""

import asyncio
import base64
import functools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import images
from toolkit.errors import DataError, ToolkitError
from toolkit.images import Received
from toolkit.novelty import Judgement
from toolkit.prediction import views
from toolkit.prediction.views import Form, Image, View
from toolkit.serve import limits, uploads
from toolkit.serve.engine import Engine
from toolkit.serve.refusal import RefusedError
from toolkit.text import printable

# An image's height and width, and for each form that a model takes, what it is to see of the image.
Prepared = tuple[tuple[int, int], dict[Form, Image]]


async def predict(image: Received, engines: Sequence[Engine], threads: Executor) -> dict[str, Any]:
    """Return the document of a prediction for an image; RefusedError if nothing can be predicted."""
    start_s = time.perf_counter()
    forms = {engine.form for engine in engines}
    size, seen = await _prepared(image, forms, threads)
    prepare_s = time.perf_counter() - start_s
    asked = [_asked(engine, seen[engine.form]) for engine in engines]
    results = await asyncio.gather(*asked)
    if all("error" in result for result in results):
        raise RefusedError(503, "; ".join(str(result["error"]) for result in results), headers={"Retry-After": "1"})
    return {
        "schema": 1,
        "image": {"height": size[0], "width": size[1]},
        "results": results,
        "agree": agree(results),
        "prepare_s": prepare_s,
        "total_s": time.perf_counter() - start_s,
    }


def agree(results: Sequence[Mapping[str, Any]]) -> bool | None:
    """Say whether all artifacts read the same classes, or none of them; None if only one answered."""
    answered = [result["readings"] for result in results if "error" not in result]
    read = [[None if one["none_of_these"] else one["class"] for one in readings] for readings in answered]
    return None if len(read) < 2 else all(one == read[0] for one in read)


async def _prepared(image: Received, forms: set[Form], threads: Executor) -> Prepared:
    """Return what models are to see of an image.

    A small image of the size that all of them take is read here: to wake a thread would take longer.
    """
    if len(image.content) <= limits.SMALL_BYTES and (small := _small(image, forms)) is not None:
        return small
    return await asyncio.get_running_loop().run_in_executor(threads, _sized, image, forms)


def _small(image: Received, forms: set[Form]) -> Prepared | None:
    """Return what models are to see of an image that is small and of their size, None of another one."""
    read: dict[int, NDArray[np.uint8]] = {}
    for channels in {form.channels for form in forms}:
        try:
            read[channels] = images.decode(image, channels=channels, most=limits.SMALL_PIXELS)
        except DataError:  # too large, or none, which is said where it is read again
            return None
    size = next(iter(read.values())).shape[:2]
    if {(form.height, form.width) for form in forms} != {size}:
        return None
    return size, {form: _checked(views.of_pixels(str(image), read[form.channels], form)) for form in forms}


def _sized(image: Received, forms: set[Form]) -> Prepared:
    return uploads.check_size(image), {form: _checked(_one(image, form)) for form in forms}


def _one(received: Received, form: Form) -> Image:
    try:
        return views.prepare(received, form)
    except DataError as error:
        raise RefusedError(422, str(error)) from error


def _checked(image: Image) -> Image:
    if image.refusal is not None:
        raise RefusedError(422, image.refusal)
    if (looks := views.looks_of(image.views)) > limits.LOOKS:
        says = f"the image has {len(image.views)} digits, which a model looks at {looks} times; allowed: {limits.LOOKS}"
        raise RefusedError(422, f"{says}; send a part of it")
    return image


async def _asked(engine: Engine, image: Image) -> dict[str, Any]:
    name = printable(engine.name)
    try:
        answer = await engine.classify(image.views)
    except ToolkitError as error:
        # Where the file lies is not a client's business.
        return {"artifact": name, "error": printable(str(error).replace(f"{engine.path.parent}/", ""))}
    rows = zip(image.views, answer.probabilities, answer.judgements, strict=True)
    return {
        "artifact": name,
        "readings": [_reading(view, row, judgement, answer.classes) for view, row, judgement in rows],
        "inference_s": answer.seconds,
        "batch": answer.batch,
    }


@functools.lru_cache(maxsize=64)
def _printable(*names: str) -> tuple[str, ...]:
    return tuple(printable(name) for name in names)


def _reading(view: View, row: Any, judgement: Judgement | None, classes: Sequence[str]) -> dict[str, Any]:
    """Return what is said of one view: its likeliest class, all probabilities, whether it is of none of the classes,
    and the pixels that the model saw.
    """
    likeliest = int(row.argmax())
    height, width, channels = view.pixels.shape
    names = _printable(*classes)
    return {
        "class": names[likeliest],
        "probability": float(row[likeliest]),
        "probabilities": [{"class": name, "probability": float(value)} for name, value in zip(names, row, strict=True)],
        "none_of_these": None if judgement is None else judgement.none_of_these,
        "novelty": None if judgement is None else asdict(judgement),
        "box": None if view.box is None else asdict(view.box),
        "seen": {
            "height": height,
            "width": width,
            "channels": channels,
            "pixels": base64.b64encode(view.pixels.tobytes()).decode(),
        },
    }
