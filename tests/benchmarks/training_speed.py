"""Seconds per epoch of ``toolkit train`` beside a plain ``model.fit`` on arrays, in turns.

Each trains in a process of its own, as its user would start it: ``toolkit train`` chooses its arithmetic by a trial,
``model.fit`` computes as TensorFlow does by default. Both train the same architecture on the same rows with the same
batch size, and validate on the same rows. They take turns, an epoch each, so drift of the machine hits both; the first
of each (compilation) does not count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

# Of the seconds of model.fit, on two cores.
REQUIRED = {"cnn": 2.0, "mlp": 10.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="auto")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--side", choices=("toolkit", "fit"), help="what a process of this command is")
    parser.add_argument("--model", choices=tuple(REQUIRED), help="this one alone")
    arguments = parser.parse_args()
    if arguments.side:
        sides = {"toolkit": toolkit_side, "fit": fit_side}
        sides[arguments.side](arguments.model, arguments.data, arguments.epochs)
        return
    for model in (arguments.model,) if arguments.model else REQUIRED:
        compare(model, arguments.data, arguments.epochs, REQUIRED[model])


def compare(model: str, choice: str, epochs: int, required: float) -> None:
    """Let both sides take turns, and print what came of it."""
    sides = {side: Side(side, model, choice, epochs) for side in ("toolkit", "fit")}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(epochs):
        for name, side in sides.items():
            seconds[name].append(side.turn())
    ends = {name: side.end() for name, side in sides.items()}
    counted = {name: taken[1:] for name, taken in seconds.items()}
    ratios = [slow / fast for slow, fast in zip(counted["fit"], counted["toolkit"], strict=True)]
    print(
        f"{model} on {ends['fit']['data']}: toolkit {statistics.median(counted['toolkit']):.2f} s per epoch "
        f"({ends['toolkit']['how']}), model.fit {statistics.median(counted['fit']):.2f} s; ratio "
        f"{statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f}; required {required}); test "
        f"accuracy after {epochs} epochs {ends['toolkit']['accuracy']:.4f} and {ends['fit']['accuracy']:.4f}"
    )


class Side:
    """One of the two, in a process of its own that trains an epoch whenever it is told to."""

    def __init__(self, side: str, model: str, choice: str, epochs: int) -> None:
        options = ["--side", side, "--model", model, "--data", choice, "--epochs", str(epochs)]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self._read()  # it is ready: nothing of its start is in the way of the other

    def turn(self) -> float:
        """Let it train an epoch; return its seconds."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._read()["seconds"])

    def end(self) -> Any:
        """Return what it says at its end."""
        answer = self._read()
        self._process.communicate()
        return answer

    def _read(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


def toolkit_side(model: str, choice: str, epochs: int) -> None:
    from toolkit import data
    from toolkit.training.fit import train
    from toolkit.training.recipe import Recipe

    dataset = data.load(choice, warn=lambda text: print(text, file=sys.stderr))

    def turn(epoch: Any) -> None:
        tell({"seconds": epoch.seconds})
        if epoch.epoch < epochs:
            sys.stdin.readline()

    how: list[str] = []

    def begin(started: Any) -> None:
        how.extend(started.additions)
        tell({"ready": True})
        sys.stdin.readline()

    with tempfile.TemporaryDirectory() as folder:
        trained = train(
            Recipe(model=model, epochs=epochs),
            dataset,
            Path(folder) / model,
            on_trial=lambda: print("trying settings", file=sys.stderr),
            on_start=begin,
            on_epoch=turn,
        )
    tell({"accuracy": trained.test.accuracy, "data": dataset.name, "how": ", ".join(how) or "as TensorFlow does"})


def fit_side(model: str, choice: str, epochs: int) -> None:
    from toolkit import data, extras, models

    dataset = data.load(choice, warn=lambda text: None)
    keras = extras.load("keras")
    images = dataset.train.images.astype(np.float32) / 255
    labels = keras.utils.to_categorical(dataset.train.labels, dataset.classes)
    plain = models.build(model, input_shape=dataset.input_shape, classes=dataset.classes)
    plain.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    tell({"ready": True})
    for _ in range(epochs):
        sys.stdin.readline()
        start = time.perf_counter()
        plain.fit(images, labels, batch_size=64, epochs=1, validation_split=0.2, verbose=0)
        tell({"seconds": time.perf_counter() - start})
    answers = plain.predict(dataset.test.images / np.float32(255), verbose=0).argmax(axis=1)
    tell({"accuracy": float(np.mean(answers == dataset.test.labels)), "data": dataset.name})


def tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
