"""Make a Keras model ready for converters."""

import errno
import math
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.export.formats.base import INPUT_NAME, OUTPUT_NAME, Prepared


def prepare(model: Any, work: Path) -> Prepared:
    """Return ``model`` as a function and a SavedModel under ``work``; ArtifactError where it is no image classifier."""
    tf = extras.load("tensorflow")
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:] or len(model.output_shape) != 2:
        raise ArtifactError(
            f"the model '{model.name}' maps {shape} to {model.output_shape}; "
            "an image classifier maps (batch, height, width, channels) to (batch, classes)"
        )
    steady = _with_steady_reshapes(model)
    signature = [tf.TensorSpec((None, *shape[1:]), tf.float32, name=INPUT_NAME)]
    function = tf.function(lambda image: {OUTPUT_NAME: steady(image, training=False)}, input_signature=signature)
    saved_model = work / "saved_model"
    archive = extras.load("keras").export.ExportArchive()
    archive.track(steady)
    archive.add_endpoint("serve", function)
    try:
        archive.write_out(str(saved_model), verbose=False)
    except tf.errors.OpError as error:  # of a full disk: "…; No space left on device [Op:SaveV2]"
        why = error.message.rpartition("; ")[2].partition(" [Op")[0]
        raise OSError(errno.EIO, f"TensorFlow could not write its copy: {why}", str(saved_model)) from error
    return Prepared(function, saved_model, work)


def _with_steady_reshapes(model: Any) -> Any:
    """Return a copy whose Flatten layers reshape to (-1, size).

    Keras' own Flatten asks the batch for its size at run time. In TFLite that leaves operators on shapes in the middle
    of the network, so XNNPACK takes it in two parts instead of one; in ONNX it leaves five operators on shapes.
    """
    keras = extras.load("keras")
    tf = extras.load("tensorflow")

    class SteadyFlatten(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, inputs: Any) -> Any:
            return tf.reshape(inputs, (-1, math.prod(inputs.shape[1:])))

    def copy(layer: Any) -> Any:
        if isinstance(layer, keras.layers.Flatten):
            return SteadyFlatten(name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    clone = keras.models.clone_model(model, clone_function=copy)
    clone.set_weights(model.get_weights())
    return clone
