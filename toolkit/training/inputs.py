"""The input of a model in training: what becomes of the pixels, or that rows are taken as values."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import models
from toolkit.convention import OPTION, Convention, Layout, layout_of, parse, sizes_for
from toolkit.data.base import Dataset
from toolkit.data.base.parts import Parts
from toolkit.errors import UsageError
from toolkit.parity import inputs
from toolkit.runs import FED
from toolkit.runtimes.keras import KerasSession, declared
from toolkit.training.recipe import Recipe


def recipe_convention(model: Any, recipe: Recipe, dataset: Dataset) -> Convention:
    """Return what the model of a recipe takes: as the user says, or the file that it is from, or its first layer.

    Else pixels from 0 to 1; values are taken as they are. Raises UsageError for a range of other channels, or of rows
    that are no images.
    """
    if recipe.input_range is None:
        files = models.weights_files(recipe.model)
        return file_convention(model, files[0], dataset) if files else _chosen(declared(model), model, dataset)
    if not dataset.is_pixels:
        raise UsageError(f"{OPTION} says what pixels become; '{dataset.name}' has {dataset.rows_are}: leave it out")
    return _chosen(parse(recipe.input_range), model, dataset)


def file_convention(model: Any, path: Path, dataset: Dataset) -> Convention:
    """Return what the model of a Keras file takes: as its manifest says, its run, or its first layer."""
    return _chosen(inputs.file_convention(path, declared(model), FED.layout), model, dataset)


def _chosen(said: Convention | None, model: Any, dataset: Dataset) -> Convention:
    pixels = FED if said is None else said
    chosen = replace(pixels, layout=layout_of(model.input_shape), output=None).taking(dataset.train.images)
    chosen.values(dataset.train.images[:1])  # which checks the channels
    return chosen


def compiled(tf: Any, convention: Convention) -> Callable[[Any], Any]:
    """Return what makes rows of data what a model takes, within a compiled function.

    The rows are pixels (N, H, W, C) from 0 to 255, of any type, or values.
    """
    spans, low = (np.asarray(ends, np.float32) for ends in (convention.spans, convention.low))

    def taken(rows: Any) -> Any:
        if convention.layout == Layout.VALUES:
            return rows
        pixels = tf.cast(rows, tf.float32)
        if convention.bgr:
            pixels = tf.reverse(pixels, [-1])
        # For pixels from 0 to 1: the same numbers, with two passes over the rows less in every step.
        values = pixels / 255.0 if str(convention) == str(FED) else pixels * spans / 255.0 + low
        if convention.layout == Layout.NHW:
            return values[..., 0]
        return tf.transpose(values, (0, 3, 1, 2)) if convention.layout == Layout.NCHW else values

    return taken


def check(model: Any, path: Path, convention: Convention, parts: Parts, *, advice: str = "give {}") -> None:
    """Raise UsageError if the model of a Keras file clearly takes its pixels in another range.

    That is tried on training images (``parity.inputs``), of which a model of other classes gets few right in any range.
    advice: as of ``inputs.check``.
    """
    if not parts.dataset.is_pixels:
        return
    session = KerasSession(path, model)
    session.fix({session.input.name: (None, *sizes_for(session.input.shape, parts.dataset.input_shape))})
    if session.outputs[0].shape[-1] == parts.dataset.classes:
        inputs.check(session, convention, parts.learned, path=path, warn=lambda text: None, advice=advice)
