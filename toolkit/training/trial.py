"""The process that a setting is tried in: ``python -m toolkit.training.trial TASK``; ``arithmetic`` starts it.

TensorFlow reads its setting when it is imported, so each has a process of its own. It answers with one JSON document.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.data.base import Dataset, make_dataset
from toolkit.data.base.parts import divide
from toolkit.data.base.pixels import as_pixels
from toolkit.data.base.values import as_values
from toolkit.files import documents
from toolkit.runtimes.keras.loading import allowing
from toolkit.training import arithmetic, augmentation, device, network
from toolkit.training.loop import Loop, is_convolutional
from toolkit.training.objective import Objective
from toolkit.training.recipe import Recipe

# A form is timed so many times, in turns with the other; its shortest time counts, since disturbances only add to it.
ROUNDS = 3
# Seconds that a computation of many batches may take: a longer one would delay Ctrl-C, and gains nothing.
LONGEST_S = 1.0
# Seconds of one time; a longer one would say no more.
ROUND_S = 0.7


def main(task: str) -> None:
    """Time the forms of a step on random rows, and print what they took."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what TensorFlow prints must not come into the answer
    asked = json.loads(task)
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    tried: list[arithmetic.Tried] = []
    if device.choose(tf, asked["device"]) == "CPU":
        recipe = Recipe(**asked["recipe"])
        rows = random_rows(tuple(asked["input_shape"]), asked["classes"], recipe.batch_size, asked["dtype"])
        with allowing(asked["imports"], unsafe_lambda=asked["unsafe_lambda"]):
            tried = _time(tf, keras, recipe, rows, [(xla, bfloat16) for xla, bfloat16 in asked["forms"]])
    print(json.dumps(documents.to_tree(arithmetic.TrialReply(tried))), file=answers, flush=True)


def _time(
    tf: Any, keras: Any, recipe: Recipe, rows: Dataset, forms: Sequence[tuple[int, bool]]
) -> list[arithmetic.Tried]:
    """Return what a batch takes in each form of a step (``arithmetic``).

    Left out are forms that XLA cannot compile, and several batches at once where that is no other form or takes long.
    """
    images, labels = tf.constant(rows.train.images), tf.constant(rows.train.labels, tf.int32)
    order = np.arange(recipe.batch_size)
    loops: dict[tuple[int, bool], tuple[Loop, int]] = {}
    for xla, bfloat16 in forms:
        learner = network.build(tf, keras, recipe, divide(rows, share=0, seed=0), warn=lambda text: None)
        many = xla > 1 or bfloat16
        if many and (recipe.augment is not None or is_convolutional(learner.model)):
            continue  # it is no other then, or takes long to compile
        if many and ((1, False) not in loops or xla * ROUND_S > LONGEST_S * loops[1, False][1]):
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
        least = np.tile(order, loop.batches_at_once)
        try:
            loop.train(images, labels, least)  # compiles it
        except (tf.errors.OpError, ValueError):
            continue
        start = time.perf_counter()
        loop.train(images, labels, least)
        repetitions = max(1, round(ROUND_S / (time.perf_counter() - start)))
        loops[xla, bfloat16] = loop, repetitions * loop.batches_at_once
    times: dict[tuple[int, bool], list[float]] = {form: [] for form in loops}
    for _ in range(ROUNDS):
        for form, (loop, batches) in loops.items():
            start = time.perf_counter()
            loop.train(images, labels, np.tile(order, batches))
            times[form].append((time.perf_counter() - start) / batches)
    onednn = arithmetic.onednn()
    return [arithmetic.Tried(onednn, xla, min(taken), bfloat16) for (xla, bfloat16), taken in times.items()]


def random_rows(shape: tuple[int, ...], classes: int, batch_size: int, dtype: str) -> Dataset:
    """Return a batch of random rows, at least one of each class: arithmetic takes as long whatever the numbers are."""
    labels = np.arange(max(batch_size, classes)) % classes
    images = np.random.default_rng(0).integers(0, 256, (len(labels), *shape)).astype(dtype)
    names = tuple(str(number) for number in range(classes))
    arrays, conversion = (images, labels, images, labels), as_pixels if dtype == "uint8" else as_values
    return make_dataset(arrays, name="trial", origin="trial", class_names=names, conversion=conversion)


if __name__ == "__main__":
    main(sys.argv[1])
