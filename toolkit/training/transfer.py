"""Training that goes on from a Keras file: its weights are kept, its first layers can be frozen, its head replaced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import SUM_TOLERANCE, Convention, Output, output_of, sum_to_one, takes
from toolkit.data.base import Dataset
from toolkit.data.base.parts import Parts
from toolkit.errors import UsageError
from toolkit.runtimes.base import as_artifact_error
from toolkit.runtimes.keras import declared
from toolkit.runtimes.keras.fake_quantization import bounds_of
from toolkit.training import inputs
from toolkit.training.recipe import Recipe
from toolkit.worker.keras import load_model

# Images whose answers tell whether a model ends in probabilities.
_TRIED_IMAGES = 50
# How far from 1 the probabilities of a row may sum in bfloat16.
_HALF_TOLERANCE = 0.05
_NO_PROBABILITIES = (
    "{path}: its answers are no probabilities; training takes a model that ends in a softmax, or in logits"
)
# How kinds of layers begin that networks without their head end in.
_POOLING = "Global"
# How many layers a message names.
_NAMED_LAYERS = 30


def start(
    keras: Any, recipe: Recipe, parts: Parts, *, tries_range: bool, warn: Callable[[str], None]
) -> tuple[Any, Convention]:
    """Return the model of the recipe's Keras file, as it is trained further on these data, and what it takes.

    All layers learn but those up to the recipe's ``freeze_until``. A head of another number of classes is replaced by
    a new one, which is warned of. A softmax is put behind logits. tries_range: whether the range of its pixels is
    tried, unless only a layer of its own says it: where nothing was learned yet, chance makes some range look better.
    UsageError for a model that takes other images, or answers with neither.
    """
    path, dataset = Path(recipe.model), parts.dataset
    model = load_model(path, (min(_TRIED_IMAGES, len(dataset.train)), *dataset.input_shape))
    if bounds_of(model) and not recipe.qat:
        raise UsageError(f"{path}: rounds as integer kernels do; give --qat to train it further, or the model in float")
    check_input(model, path, dataset)
    convention = inputs.recipe_convention(model, recipe, dataset)
    if tries_range and (recipe.input_range is not None or str(convention) != str(declared(model))):
        inputs.check(model, path, convention, parts)
    learning_in_float32(model)
    if model.output_shape[-1] != dataset.classes:
        model = _with_new_head(keras, model, path, dataset, warn=warn)
    model = ending_in_probabilities(keras, model, path, dataset, convention, recipe, warn=warn)
    if recipe.freeze_until is not None:
        _freeze(model, path, recipe.freeze_until)
    return model, convention


def learning_in_float32(model: Any) -> Any:
    """Let all layers of a model learn, also those that an earlier training froze, and compute in float32; return it."""
    for layer in model._flatten_layers():
        layer.trainable = True
        if layer.compute_dtype != "float32":
            layer.dtype_policy = "float32"
    return model


def check_input(model: Any, path: Path, dataset: Dataset) -> None:
    """Raise UsageError for a model that takes other rows than those of the data."""
    shape, has = model.input_shape, (None, *dataset.input_shape)
    if not isinstance(shape, tuple) or not takes(shape, dataset.train.images):
        axes = " (batch, height, width, channels); for a folder of images give their size by --image-size"
        raise UsageError(
            f"{path}: takes {shape}, the {dataset.noun}s of '{dataset.name}' are {has}{axes * dataset.is_pixels}"
        )


def _with_new_head(keras: Any, model: Any, path: Path, dataset: Dataset, *, warn: Callable[[str], None]) -> Any:
    """Return the model with a new last layer for the classes of the data: behind its features, if it ends in these."""
    if type(model.layers[-1]).__name__.startswith(_POOLING):
        warn(
            f"{path}: ends in {model.output_shape[-1]} features; a new last layer tells {dataset.classes} classes apart"
        )
        answer = keras.layers.Dense(dataset.classes, activation="softmax", name="probabilities")(model.outputs[0])
        return keras.Model(model.inputs[0], answer, name=model.name)
    head = next((layer for layer in reversed(model.layers) if layer.weights), None)
    if not isinstance(head, keras.layers.Dense):
        what = "none" if head is None else f"'{head.name}', a {type(head).__name__}"
        raise UsageError(
            f"{path}: answers with {model.output_shape[-1]} numbers, '{dataset.name}' has {dataset.classes} classes; "
            f"only a Dense layer can be replaced, and its last layer with weights is {what}"
        )
    warn(
        f"{path}: tells {model.output_shape[-1]} classes apart, '{dataset.name}' has {dataset.classes}; its last "
        f"layer, '{head.name}', is replaced by a new one"
    )
    answer = keras.layers.Dense(dataset.classes, activation="softmax", name=head.name)(head.input)
    return keras.Model(model.inputs[0], answer, name=model.name)


def ending_in_probabilities(
    keras: Any,
    model: Any,
    path: Path,
    dataset: Dataset,
    convention: Convention,
    recipe: Recipe,
    *,
    warn: Callable[[str], None],
) -> Any:
    """Return a model whose answers are probabilities: with a softmax behind it if they are logits, which is warned of.

    UsageError if they are neither, ArtifactError if there are none.
    """
    answers = _answers(model, path, dataset, convention)
    tolerance = SUM_TOLERANCE if recipe.precision == "float32" else _HALF_TOLERANCE
    if _are_probabilities(answers, None if recipe.loss == "binary_crossentropy" else tolerance):
        return model
    if answers.ndim != 2 or output_of(answers) != Output.LOGITS:
        raise UsageError(_NO_PROBABILITIES.format(path=path))
    warn(f"{path}: answers with logits; a softmax is put behind it, with which it is trained and kept")
    softmax = keras.layers.Activation("softmax", dtype="float32")
    return keras.Model(model.inputs[0], softmax(model.outputs[0]), name=model.name)


def check_output(model: Any, path: Path, dataset: Dataset, convention: Convention) -> None:
    """Raise UsageError for a model whose answers to some rows are no probabilities, ArtifactError without answers."""
    if not _are_probabilities(_answers(model, path, dataset, convention), SUM_TOLERANCE):
        raise UsageError(_NO_PROBABILITIES.format(path=path))


def _answers(model: Any, path: Path, dataset: Dataset, convention: Convention) -> NDArray[np.float32]:
    tried = convention.values(dataset.train.images[:_TRIED_IMAGES])
    with as_artifact_error(path, "Keras cannot run it"):
        return np.asarray(model(tried, training=False)).astype(np.float32)


def _are_probabilities(answers: NDArray[np.float32], tolerance: float | None) -> bool:
    """Say whether answers are from 0 to 1, and sum to 1; None leaves their sum free."""
    if answers.ndim != 2 or not ((answers >= 0) & (answers <= 1)).all():
        return False
    return tolerance is None or sum_to_one(answers, tolerance=tolerance)


def _freeze(model: Any, path: Path, until: str) -> None:
    names = [layer.name for layer in model.layers]
    if until not in names:
        more = "" if len(names) <= _NAMED_LAYERS else f", … ({len(names)} layers)"
        raise UsageError(f"{path}: has no layer '{until}'; its layers: {', '.join(names[:_NAMED_LAYERS])}{more}")
    for layer in model.layers[: names.index(until) + 1]:
        for part in layer._flatten_layers():  # a Sequential does not tell those within it
            part.trainable = False
    if not model.trainable_variables:
        raise UsageError(
            f"{path}: with all layers frozen up to '{until}' nothing is left to train; name an earlier one"
        )
