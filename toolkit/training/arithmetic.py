"""How TensorFlow computes a training: with oneDNN or not, in float32 or bfloat16, compiled by XLA or not.

Which is fastest depends on the device and the model, and no rule is known that tells. So a training that takes long
begins with a trial of a few batches, whose outcome is kept in the user's cache. Each setting adds floats up in an order
of its own, so the last bits of the weights depend on it: a run records it, and keeps it when it goes on.
"""

import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit import constraints, extras, host, models
from toolkit.data.base import Dataset
from toolkit.errors import RunError, ToolkitError
from toolkit.files import documents, sha256
from toolkit.files.documents import LATER
from toolkit.files.kept import Kept
from toolkit.runs import CONFIG, read_config
from toolkit.runtimes.keras.loading import allowed
from toolkit.training.recipe import Recipe
from toolkit.worker.process import Process

# Of TensorFlow, which reads it when it is imported.
VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
# Of the optimizer of TensorFlow's graphs, which does so where oneDNN computes them, and only there.
IN_BFLOAT16 = "auto_mixed_precision_onednn_bfloat16"
# How many times as fast bfloat16 must be to be taken: the user has asked for float32.
WORTH_ROUNDING = 1.2
# Of CUDA: which of a machine's GPUs a process sees. NVIDIA's driver has a file for each of them.
VISIBLE_GPUS, GPUS = "CUDA_VISIBLE_DEVICES", Path("/dev")
# Of the extra 'gpu': the libraries without which TensorFlow uses none, and what XLA compiles for one with.
CUDA = ("nvidia-cudnn-cu12", "nvidia-cuda-nvcc-cu12")
FOLDER = "training"
# Values (of an image, times images, times epochs) from which a trial may be worth its time: without it, the CNN took
# about a minute for as many on two cores.
LEAST_VALUES = 10**8
# Seconds of a training from which the other setting of oneDNN is tried, which takes one more import of TensorFlow.
LEAST_S = 60.0
# Seconds that the trial of one setting of oneDNN may take.
DEADLINE_S = 200.0
# Most batches that XLA learns from in one computation, and most bytes of them. More gains nothing, and delays Ctrl-C.
MOST_AT_ONCE, MOST_AT_ONCE_BYTES = 250, 64 * 2**20
# To be raised with every change of what is tried, or how.
_VERSION = 6
# The module with the task of a trial, which is carried out in a process of its own, and what that is called.
_TASKS, TRIAL = "toolkit.training.trial", "trial"


@dataclass(frozen=True)
class Tried:
    """What one setting took.

    onednn: None on a GPU, where it computes nothing. xla: batches that it learns from in one computation, 0 for none.
    batch_s: of one batch. bfloat16: as of ``Loop``.
    """

    onednn: bool | None
    xla: int
    batch_s: float
    bfloat16: bool = field(default=False, metadata=LATER)


@dataclass(frozen=True)
class Arithmetic:
    """A setting. None leaves the choice to TensorFlow (onednn), or to the kind of layers (xla).

    tried: the settings that it is the fastest of. bfloat16: as of ``Loop``.
    """

    onednn: bool | None = None
    xla: int | None = None
    tried: tuple[Tried, ...] = field(default=(), metadata=LATER)
    bfloat16: bool = field(default=False, metadata=LATER)

    @property
    def words(self) -> tuple[str, ...]:
        """What was chosen: ``with oneDNN``, ``without XLA``; nothing if nothing was."""
        told = {"oneDNN": self.onednn, "XLA": self.xla}
        more = {
            "oneDNN": " (in bfloat16)" if self.bfloat16 else "",
            "XLA": f" ({self.xla} batches at once)" if self.xla and self.xla > 1 else "",
        }
        return tuple(
            f"{'with' if has else 'without'} {name}{more[name]}" for name, has in told.items() if has is not None
        )


# Nothing was tried.
UNTRIED = Arithmetic()


def recorded_arithmetic(folder: Path) -> Arithmetic:
    """Return what a run was started with; UNTRIED for one that does not tell."""
    document = read_config(folder).get("arithmetic", {})
    return documents.convert(document, Arithmetic, folder / CONFIG, what="how a run computes", error=RunError)


def choose(recipe: Recipe, dataset: Dataset, *, device: str, on_trial: Callable[[], None]) -> Arithmetic:
    """Return the fastest setting for a training: that of the cache, or else of a trial.

    device: what ``--device`` takes. on_trial is called before a trial. UNTRIED is returned for a training that is too
    short to gain by it, and if a trial fails: what is wrong then, the training shows.
    """
    if dataset.train.images.size * recipe.epochs < LEAST_VALUES:
        return UNTRIED
    asked = _asked(recipe, dataset, device)
    kept = Kept(FOLDER, asked)
    if known := kept.read(Arithmetic):
        return known
    on_trial()
    tried = _try(recipe, dataset, device, onednn=asked["onednn"])
    is_free = asked["onednn"] is None and asked["variable"] is None
    if tried and tried[0].onednn is not None and is_free and _seconds(recipe, dataset, tried) > LEAST_S:
        others = _try(recipe, dataset, device, onednn=not tried[0].onednn)
        tried = None if others is None else [*tried, *others]
    if tried is None:
        return UNTRIED
    best = min(tried, key=lambda one: one.batch_s * (WORTH_ROUNDING if one.bfloat16 else 1), default=None)
    chosen = UNTRIED if best is None else Arithmetic(best.onednn, best.xla, tuple(tried), best.bfloat16)
    kept.write(chosen)
    return chosen


def load_tensorflow(arithmetic: Arithmetic, *, warn: Callable[[str], None]) -> Any:
    """Import TensorFlow with a setting. If it is imported already, it stays as it is, which is warned of."""
    with _deciding(arithmetic.onednn):
        tensorflow = extras.load("tensorflow")
    if arithmetic.onednn not in (None, onednn()):
        warn(
            f"the run was started {arithmetic.words[0]}, and this process computes otherwise: its weights will not be "
            "those of an uninterrupted run to the last bit"
        )
    return tensorflow


def onednn() -> bool:
    """Say whether TensorFlow, which is imported, computes with oneDNN."""
    return bool(extras.load("tensorflow.python.util._pywrap_util_port").IsMklEnabled())


@contextmanager
def in_bfloat16(tf: Any) -> Iterator[None]:
    """Let oneDNN multiply in bfloat16 what a compiled function multiplies in float32 that is called in the block.

    What lies between the products (activations, their gradients) is rounded too. Variables, sums of the loss and
    what an optimizer does stay in float32.
    """
    before = tf.config.optimizer.get_experimental_options().get(IN_BFLOAT16, False)
    tf.config.optimizer.set_experimental_options({IN_BFLOAT16: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({IN_BFLOAT16: before})


def _imported() -> bool | None:
    """Say whether TensorFlow computes with oneDNN here, None if it is not imported yet: then it can be chosen."""
    return onednn() if "tensorflow" in sys.modules else None


def _seconds(recipe: Recipe, dataset: Dataset, tried: Sequence[Tried]) -> float:
    """Return about how long a training will take as the fastest of what was tried."""
    batches = len(dataset.train) * (1 - recipe.validation_split) / recipe.batch_size
    return batches * recipe.epochs * min(one.batch_s for one in tried)


def _forms(recipe: Recipe, dataset: Dataset) -> list[tuple[int, bool]]:
    """Return the forms of a step that are tried: batches that XLA learns from at once, and whether in bfloat16.

    Pixels and the weights that multiply them lose nothing by 8 bits that tells in the accuracy. Values may,
    and what learns with the rounding of integers.
    """
    forms = [(xla, False) for xla in sorted({0, 1, _at_once(recipe, dataset)})]
    may_round = recipe.precision == "float32" and not recipe.qat and dataset.is_pixels
    return [*forms, (0, True)] if may_round and host.instruction_sets().get("bf16", False) else forms


def _at_once(recipe: Recipe, dataset: Dataset) -> int:
    """Return in how large parts the batches of an epoch are learned from at once: equal ones, but for a few batches."""
    batches = int(len(dataset.train) * (1 - recipe.validation_split)) // recipe.batch_size
    batch_bytes = recipe.batch_size * dataset.train.images.nbytes // len(dataset.train)
    most = min(MOST_AT_ONCE, MOST_AT_ONCE_BYTES // batch_bytes)
    return max(1, batches // math.ceil(batches / most)) if batches and most else 1


def _asked(recipe: Recipe, dataset: Dataset, device: str) -> dict[str, Any]:
    """Return all that the outcome of a trial depends on."""
    machine = host.describe()
    return {
        "version": _VERSION,
        "host": {name: getattr(machine, name) for name in ("cpu", "arch", "cores", "model", "virtual")},
        "device": device,
        "gpus": [] if device == "cpu" else _gpus(),
        "forms": _forms(recipe, dataset),
        "onednn": _imported(),
        "variable": os.environ.get(VARIABLE),
        "versions": {name: constraints.installed(name) for name in ("tensorflow", "keras")},
        "recipe": {
            name: getattr(recipe, name) for name in ("optimizer", "activation", "loss", "batch_size", "precision")
        },
        "augment": recipe.augment,
        "freeze_until": recipe.freeze_until,
        "qat": recipe.qat,
        "average": recipe.average is not None,
        "label_smoothing": recipe.label_smoothing > 0,
        "model": recipe.to_json()["model"],
        "file": [sha256(file) for file in (*models.own_files(recipe.model), *allowed().files)],
        "input_shape": list(dataset.input_shape),
        "dtype": dataset.train.images.dtype.name,
        "classes": dataset.classes,
    }


def _gpus() -> list[str | None]:
    """Return what decides which GPUs TensorFlow sees, as far as that can be told without it."""
    installed = [constraints.installed(name) for name in CUDA]
    return [os.environ.get(VISIBLE_GPUS), *sorted(one.name for one in GPUS.glob("nvidia[0-9]*")), *installed]


def _try(recipe: Recipe, dataset: Dataset, device: str, *, onednn: bool | None) -> list[Tried] | None:
    """Return what the forms of a step took in a process of its own, None if it failed.

    onednn: whether with it; None leaves that to TensorFlow and the user.
    """
    question = {
        "do": TRIAL,
        "recipe": {**recipe.to_json(), "model": recipe.model},
        "input_shape": list(dataset.input_shape),
        "dtype": dataset.train.images.dtype.name,
        "classes": dataset.classes,
        "device": device,
        "forms": _forms(recipe, dataset),
    }
    try:
        with _deciding(onednn), closing(Process("a trial", _TASKS, patience_s=DEADLINE_S)) as process:
            answer, _ = process.ask(question)
        return documents.convert(answer.get("tried"), list[Tried], "a trial", what="an answer")
    except (ToolkitError, OSError):
        return None


@contextmanager
def _deciding(onednn: bool | None) -> Iterator[None]:
    """Let a TensorFlow that is imported, or a process that begins in the block, compute with oneDNN or without it.

    None leaves that to TensorFlow and the user. What begins later decides for itself.
    """
    before = os.environ.get(VARIABLE)
    if onednn is not None:
        os.environ[VARIABLE] = str(int(onednn))
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
