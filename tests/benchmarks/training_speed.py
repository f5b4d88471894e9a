"""Seconds per epoch of ``toolkit train`` beside a plain ``model.fit`` on arrays, in turns in one process.

Both train the same architecture on the same rows with the same batch size, and validate on the same rows. After every
epoch of toolkit, one epoch of Keras runs, so drift of the machine hits both; the first of each (compilation) does not
count.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from toolkit import data, extras, models
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="auto")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    dataset = data.load(arguments.data, warn=print)
    keras = extras.load("keras")
    images = dataset.train.images.astype(np.float32) / 255
    labels = keras.utils.to_categorical(dataset.train.labels, dataset.classes)
    for name, required in (("cnn", 1.3), ("mlp", 4.0)):
        plain = models.build(name, input_shape=dataset.input_shape, classes=dataset.classes)
        plain.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        plain_s: list[float] = []
        toolkit_s: list[float] = []

        def turn(epoch, plain=plain, plain_s=plain_s, toolkit_s=toolkit_s) -> None:
            toolkit_s.append(epoch.seconds)
            start = time.perf_counter()
            plain.fit(images, labels, batch_size=64, epochs=1, validation_split=0.2, verbose=0)
            plain_s.append(time.perf_counter() - start)

        with tempfile.TemporaryDirectory() as folder:
            recipe = Recipe(model=name, epochs=arguments.epochs)
            trained = train(recipe, dataset, Path(folder) / name, on_epoch=turn)
        ratios = [slow / fast for slow, fast in zip(plain_s[1:], toolkit_s[1:], strict=True)]
        accuracy = np.mean(plain.predict(dataset.test.images / 255.0, verbose=0).argmax(1) == dataset.test.labels)
        print(
            f"{name} on {dataset.name}: toolkit {statistics.median(toolkit_s[1:]):.2f} s per epoch, model.fit "
            f"{statistics.median(plain_s[1:]):.2f} s; ratio {statistics.median(ratios):.2f} "
            f"(from {min(ratios):.2f} to {max(ratios):.2f}; required {required}); test accuracy after "
            f"{arguments.epochs} epochs {trained.test.accuracy:.4f} and {accuracy:.4f}"
        )


if __name__ == "__main__":
    main()
