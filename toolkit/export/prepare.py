"""Make a Keras model ready for converters, and prove that what they get answers as Keras does."""

import errno
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.convention import sizes_for
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError
from toolkit.export.formats.base import INPUT_NAME, OUTPUT_NAME, Prepared
from toolkit.export.tracing import is_recurrent, plain_operators, unrolled
from toolkit.golden import VALUE_RANKS
from toolkit.runtimes.base import PREDICT_BATCH, Session
from toolkit.runtimes.keras.fake_quantization import bounds_of, unrounded
from toolkit.runtimes.keras.loading import keeps_state

# How far an output may be from Keras', as a share of the greatest one if that is above 1: sums of float32 in another
# order differ by less.
TOLERANCE = 1e-5
_HALVES = ("float16", "bfloat16")


def fixed(model: Any, path: Path, *, input_shape: Sequence[int], warn: Callable[[str], None]) -> Any:
    """Return the model as it is exported: computing in float32, on images of one size.

    input_shape: the sizes that the model leaves free. ArtifactError if it has others.
    """
    for name in keeps_state(model):
        raise ArtifactError(
            f"{path}: the layer '{name}' keeps its state from one call to the next, which no artifact does; save "
            "the model with stateful=False"
        )
    halves = [layer for layer in model._flatten_layers() if layer.compute_dtype in _HALVES]
    if halves:
        warn(f"{path}: computes in {halves[0].compute_dtype} in part; it is exported in float32, with the same weights")
    for layer in halves:
        layer.dtype_policy = "float32"
    shape = model.input_shape
    if not isinstance(shape, tuple) or None not in shape[1:]:
        return model
    wanted = sizes_for(shape, input_shape)
    if len(shape) != len(wanted) + 1 or any(has not in (None, one) for has, one in zip(shape[1:], wanted, strict=True)):
        raise ArtifactError(
            f"{path}: takes {shape[1:]}, which cannot be {wanted}; give the size by --input-shape HxWxC"
        )
    keras = extras.load("keras")
    image = keras.Input(wanted, name=INPUT_NAME, dtype=model.inputs[0].dtype)
    return keras.Model(image, model(image), name=model.name)


def prepare(model: Any, work: Path) -> Prepared:
    """Return ``model`` as a function and a SavedModel under ``work``; ArtifactError if it is no classifier."""
    tf = extras.load("tensorflow")
    shape = model.input_shape
    if (
        not isinstance(shape, tuple)
        or len(shape) not in VALUE_RANKS
        or None in shape[1:]
        or len(model.output_shape) != 2
    ):
        raise ArtifactError(
            f"the model '{model.name}' maps {shape} to {model.output_shape}; "
            "a classifier maps (batch, …), of up to four sizes, to (batch, classes)"
        )
    if not bounds_of(model):
        return _prepared(tf, model, work, work / "saved_model")
    with unrounded():
        plain = _prepared(tf, model, work, work / "saved_model")
    return replace(plain, rounding=_prepared(tf, model, work, work / "rounding"))


def _prepared(tf: Any, model: Any, work: Path, saved_model: Path) -> Prepared:
    function = steps = _traced(tf, model)
    if is_recurrent(model):
        with unrolled(model):
            steps = _traced(tf, model)
    archive = extras.load("keras").export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", steps)
    # Nobody trains what is written: to trace the gradients too would take as long again.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        archive.write_out(str(saved_model), options=options, verbose=False)
    except tf.errors.OpError as error:  # of a full disk: "…; No space left on device [Op:SaveV2]"
        why = error.message.rpartition("; ")[2].partition(" [Op")[0]
        raise OSError(errno.EIO, f"TensorFlow could not write its copy: {why}", str(saved_model)) from error
    nets = extras.load("keras").Model
    layers = {one.name: type(one).__name__ for one in model._flatten_layers() if not isinstance(one, nets)}
    answer = next((layer.name for layer in reversed(model.layers)), "")
    return Prepared(function, steps, saved_model, work, layers, answer)


def _traced(tf: Any, model: Any) -> Any:
    """Return a model as a function of plain operators."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name=INPUT_NAME)]
    function = tf.function(lambda image: {OUTPUT_NAME: model(image, training=False)}, input_signature=signature)
    try:
        with plain_operators():
            function.get_concrete_function()
    except Exception as error:
        traceback.print_exc()  # goes to the log
        raise ArtifactError(
            f"the model '{model.name}' cannot be run as a TensorFlow graph; export.log says why"
        ) from error
    return function


def prove(prepared: Prepared, reference: Session, rows: NDArray[np.float32]) -> None:
    """Raise ArtifactError if what is converted answers differently than the reference: what rounds, if that does.

    rows: (N, …) float32, as the model takes them.
    """
    proven = prepared.rounding or prepared
    for images in chunks(rows, PREDICT_BATCH):
        expected = reference.run(images)
        given = [function(images)[OUTPUT_NAME].numpy() for function in {proven.function, proven.steps}]
        difference = float(np.abs(np.stack(given) - expected).max())
        allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        if difference <= allowed:
            continue
        again = float(np.abs(reference.run(images) - expected).max())
        why = (
            "it answers differently each time it is asked; switch off the layer that draws random numbers"
            if again > allowed
            else "a layer has a state that is not saved with it, or computes otherwise in a graph"
        )
        raise ArtifactError(
            f"{reference.path}: what would be converted does not answer as Keras does (an output differs by "
            f"{difference:.2g}, allowed: {allowed:.2g}): {why}"
        )
