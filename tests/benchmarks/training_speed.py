"""Seconds per epoch of ``toolkit train`` beside a plain ``model.fit`` on arrays, in turns.

Each trains in a process of its own, as its user would start it: ``toolkit train`` chooses its arithmetic by a trial,
``model.fit`` computes as TensorFlow does by default. Both train the same architecture on the same rows with the same
batch size, and validate on the same rows. They take turns, an epoch each, so drift of the machine hits both; the first
of each (compilation) does not count. Beside it stands which share of the machine's peak that is: of what its fastest
product of two large matrices does a second.

Then a tiny network, of about 8,000 parameters, takes turns with itself on changed images.
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
# About 8,000 parameters, with batch normalization: the seconds of an epoch of 48,000 images on two cores, and how many
# times more with changed images.
SMALL = "tiny"
MOST_S, MOST_TIMES = 20.0, 1.3
AUGMENT = "shift,rotate,zoom"
VALIDATED = 0.2
# Rows and columns of the matrices whose product shows the peak, and how often it is tried.
SIDE, TRIES = 2048, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="auto")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--side", choices=("toolkit", "augmented", "fit"), help="what a process of this command is")
    parser.add_argument("--model", choices=(*REQUIRED, SMALL), help="this one alone")
    arguments = parser.parse_args()
    if arguments.side:
        if arguments.side == "fit":
            fit_side(arguments.model, arguments.data, arguments.epochs)
        else:
            augment = AUGMENT if arguments.side == "augmented" else None
            toolkit_side(arguments.model, arguments.data, arguments.epochs, augment=augment)
        return
    for model in (arguments.model,) if arguments.model else (*REQUIRED, SMALL):
        if model in REQUIRED:
            compare(model, arguments.data, arguments.epochs, REQUIRED[model])
        else:
            compare_augmented(model, arguments.data, arguments.epochs)


def compare_augmented(model: str, choice: str, epochs: int) -> None:
    """Let the same network learn from images as they are and from changed ones, and print what came of it."""
    counted, ends = in_turns(("toolkit", "augmented"), model, choice, epochs)
    ratios = [slow / fast for slow, fast in zip(counted["augmented"], counted["toolkit"], strict=True)]
    print(
        f"{model} on {ends['toolkit']['data']}: {statistics.median(counted['toolkit']):.2f} s per epoch "
        f"({ends['toolkit']['how']}; required at most {MOST_S:g}); with {AUGMENT} "
        f"{statistics.median(counted['augmented']):.2f} s ({ends['augmented']['how']}); ratio "
        f"{statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f}; at most {MOST_TIMES:g})"
    )


def in_turns(
    names: tuple[str, ...], model: str, choice: str, epochs: int
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Let sides take turns; return the seconds of each but the first, and what they say at their end."""
    sides = {name: Side(name, model, choice, epochs) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(epochs):
        for name, side in sides.items():
            seconds[name].append(side.turn())
    ends = {name: side.end() for name, side in sides.items()}
    return {name: taken[1:] for name, taken in seconds.items()}, ends


def compare(model: str, choice: str, epochs: int, required: float) -> None:
    """Let both sides take turns, and print what came of it."""
    counted, ends = in_turns(("toolkit", "fit"), model, choice, epochs)
    ratios = [slow / fast for slow, fast in zip(counted["fit"], counted["toolkit"], strict=True)]
    print(
        f"{model} on {ends['fit']['data']}: toolkit {statistics.median(counted['toolkit']):.2f} s per epoch "
        f"({ends['toolkit']['how']}), model.fit {statistics.median(counted['fit']):.2f} s; ratio "
        f"{statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f}; required {required}); test "
        f"accuracy after {epochs} epochs {ends['toolkit']['accuracy']:.4f} and {ends['fit']['accuracy']:.4f}"
    )
    peak, flop = peak_flops(), ends["fit"]["flop"]
    shares = (flop / statistics.median(counted[name]) / peak for name in ("toolkit", "fit"))
    print(
        f"{model}: {flop / 1e9:.1f} GFLOP an epoch; of the machine's peak of {peak / 1e9:.0f} GFLOP/s these are "
        "{:.0%} (toolkit) and {:.0%} (model.fit)".format(*shares)
    )


def peak_flops() -> float:
    """Return the floating-point operations a second of the fastest of some products, by NumPy's BLAS on all cores."""
    left, right = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        left @ right
        taken.append(time.perf_counter() - start)
    return float(2 * SIDE**3 / min(taken))


def flop_of_epoch(model: Any, rows: int) -> float:
    """Return the floating-point operations of an epoch with validation, products alone.

    A weight is multiplied by its input and by the gradient of its output, and the gradient of the input is a product
    too; that of the first layer's is not computed.
    """
    from toolkit.runtimes.keras.graph import nodes

    macs = [node.operator.macs for node in nodes(model, kernels="", batch=1) if node.operator.macs]
    trained = (1 - VALIDATED) * rows
    return 2 * (trained * (3 * sum(macs) - macs[0]) + (rows - trained) * sum(macs))


class Side:
    """One of them, in a process of its own that trains an epoch whenever it is told to."""

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


def toolkit_side(model: str, choice: str, epochs: int, *, augment: str | None) -> None:
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
            Recipe(model=model, epochs=epochs, augment=augment),
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
        plain.fit(images, labels, batch_size=64, epochs=1, validation_split=VALIDATED, verbose=0)
        tell({"seconds": time.perf_counter() - start})
    answers = plain.predict(dataset.test.images / np.float32(255), verbose=0).argmax(axis=1)
    flop = flop_of_epoch(keras.Model(plain.inputs, plain.outputs), len(dataset.train))
    tell({"accuracy": float(np.mean(answers == dataset.test.labels)), "data": dataset.name, "flop": flop})


def tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
