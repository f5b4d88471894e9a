"""The trial of a setting, in a worker of its own: TensorFlow reads it on import. ``arithmetic`` asks for it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.data.base import Dataset, make_dataset
from toolkit.data.base.parts import divide
from toolkit.data.base.pixels import as_pixels
from toolkit.data.base.values import as_values
from toolkit.files.documents import to_tree
from toolkit.training import augmentation, network
from toolkit.training.arithmetic import TRIAL, Tried, onednn
from toolkit.training.device import CPU, choose
from toolkit.training.loop import Loop, is_convolutional
from toolkit.training.objective import Objective
from toolkit.training.recipe import Recipe
from toolkit.worker.child import Task

# A form is timed so many times, in turns with the others; its shortest time counts, since disturbances only add to it.
ROUNDS = 3
# Seconds that a computation of many batches may take: a longer one would delay Ctrl-C, and gains nothing.
LONGEST_S = 1.0
# Seconds of one time; a longer one would say no more. From the shorter one on, it is known how many batches that takes.
ROUND_S, ENOUGH_S = 0.7, 0.1


def _try(
    kept: dict[str, Any],
    content: bytes,
    *,
    recipe: dict[str, Any],
    input_shape: Sequence[int],
    classes: int,
    dtype: str,
    device: str,
    forms: Sequence[tuple[int, bool]],
) -> tuple[dict[str, Any], bytes]:
    """Time the forms of a step on random rows. On a GPU those are left out that differ by what oneDNN does."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    on_cpu = choose(tf, device) == CPU
    asked = Recipe(**recipe)
    rows = random_rows(tuple(input_shape), classes, asked.batch_size, dtype)
    tried = _time(tf, keras, asked, rows, [(xla, bfloat16) for xla, bfloat16 in forms if on_cpu or not bfloat16])
    if not on_cpu:
        tried = [replace(one, onednn=None) for one in tried]
    return {"tried": [to_tree(one) for one in tried]}, b""


def _time(tf: Any, keras: Any, recipe: Recipe, rows: Dataset, forms: Sequence[tuple[int, bool]]) -> list[Tried]:
    """Return what a batch takes in each form of a step (``arithmetic``).

    Left out are forms that XLA cannot compile, several batches at once where that is no other form or takes long, and
    bfloat16 without oneDNN, which alone computes so.
    """
    images, labels = tf.constant(rows.train.images), tf.constant(rows.train.labels, tf.int32)
    order = np.arange(recipe.batch_size)
    loops: dict[tuple[int, bool], tuple[Loop, int]] = {}
    for xla, bfloat16 in forms:
        if bfloat16 and not onednn():
            continue
        learner = network.build(tf, keras, recipe, divide(rows, share=0, seed=0), warn=lambda text: None)
        if xla > 1 and (recipe.augment is not None or is_convolutional(learner.model)):
            continue  # it is no other then, or takes long to compile
        if xla > 1 and ((1, False) not in loops or xla * ROUND_S > LONGEST_S * loops[1, False][1]):
            continue
        loop = Loop(
            tf,
            model=learner.model,
            optimizer=learner.optimizer,
            objective=Objective(tf, keras, recipe, classes=rows.classes),
            batch_size=recipe.batch_size,
            augmentation=None if recipe.augment is None else augmentation.Augmentation(tf, recipe.augment),
            after_step=learner.follow,
            xla=xla,
            bfloat16=bfloat16,
            convention=learner.convention,
        )
        train = partial(_seconds, loop, images, labels, np.tile(order, loop.batches_at_once))
        try:
            train(1)  # compiles it
        except tf.errors.ResourceExhaustedError:
            raise  # it says nothing of this form: another program has the memory
        except (tf.errors.OpError, ValueError):
            continue
        repetitions = 1
        while (taken_s := train(repetitions)) < ENOUGH_S:  # what a call takes by itself is none of its batches' time
            repetitions *= 4
        repetitions = max(1, round(repetitions * ROUND_S / taken_s))
        loops[xla, bfloat16] = loop, repetitions * loop.batches_at_once
    times: dict[tuple[int, bool], list[float]] = {form: [] for form in loops}
    for _ in range(ROUNDS):
        for form, (loop, batches) in loops.items():
            times[form].append(_seconds(loop, images, labels, order, batches) / batches)
    return [Tried(onednn(), xla, min(taken), bfloat16) for (xla, bfloat16), taken in times.items()]


def _seconds(loop: Loop, images: Any, labels: Any, order: NDArray[np.int64], repetitions: int) -> float:
    """Learn from the rows of ``order`` so many times, and return what that took."""
    start = time.perf_counter()
    loop.train(images, labels, np.tile(order, repetitions))
    return time.perf_counter() - start


def random_rows(shape: tuple[int, ...], classes: int, batch_size: int, dtype: str) -> Dataset:
    """Return a batch of random rows, at least one of each class: arithmetic takes as long whatever the numbers are."""
    labels = np.arange(max(batch_size, classes)) % classes
    images = np.random.default_rng(0).integers(0, 256, (len(labels), *shape)).astype(dtype)
    names = tuple(str(number) for number in range(classes))
    arrays, conversion = (images, labels, images, labels), as_pixels if dtype == "uint8" else as_values
    return make_dataset(arrays, name="trial", origin="trial", class_names=names, conversion=conversion)


TASKS: dict[str, Task] = {TRIAL: _try}
