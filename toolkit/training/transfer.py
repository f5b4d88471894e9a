"""Training that goes on from a Keras file: its weights are kept, its first layers can be frozen, its head replaced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import data, models
from toolkit.convention import SUM_TOLERANCE, Convention
from toolkit.data.base import Dataset
from toolkit.data.base.parts import Parts
from toolkit.errors import UsageError
from toolkit.reading import AS_THEY_ARE, Reading, image_shape
from toolkit.runtimes.base import as_artifact_error
from toolkit.runtimes.keras.fake_quantization import bounds_of
from toolkit.training import fed
from toolkit.training.recipe import Recipe
from toolkit.worker.keras import load_model

# Images whose answers tell whether a model ends in probabilities.
_TRIED_IMAGES = 50
# How many layers a message names.
_NAMED_LAYERS = 30


def reading_for(recipe: Recipe, choice: str) -> Reading:
    """Return how data are read for the recipe's model: photos in the size that its Keras file takes.

    choice: what ``toolkit.data.load`` takes.
    """
    files = models.weights_files(recipe.model)
    if not files or "image_size" not in data.reads(choice):
        return AS_THEY_ARE
    return Reading(model_shape=image_shape(load_model(files[0]).input_shape))


def start(
    keras: Any, recipe: Recipe, parts: Parts, *, tries_range: bool, warn: Callable[[str], None]
) -> tuple[Any, Convention]:
    """Return the model of the recipe's Keras file, as it is trained further on these data, and what it takes.

    All layers learn but those up to the recipe's ``freeze_until``. A head of another number of classes is replaced by
    a new one, which is warned of. tries_range: whether the range of its pixels is tried. UsageError for a model that
    takes other images, or does not end in probabilities.
    """
    path, dataset = Path(recipe.model), parts.dataset
    model = load_model(path, (min(_TRIED_IMAGES, len(dataset.train)), *dataset.input_shape))
    if bounds_of(model) and not recipe.qat:
        raise UsageError(f"{path}: rounds as integer kernels do; give --qat to train it further, or the model in float")
    check_input(model, path, dataset)
    convention = fed.of_recipe(model, recipe, dataset)
    if tries_range:
        fed.check(model, path, convention, parts)
    learning_in_float32(model)
    if model.output_shape[-1] != dataset.classes:
        model = _with_new_head(keras, model, path, dataset, warn=warn)
    check_output(model, path, dataset, convention, sums_to_one=recipe.loss != "binary_crossentropy")
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
    takes, has = model.input_shape, (None, *dataset.input_shape)
    is_fitting = isinstance(takes, tuple) and len(takes) == len(has)
    if not is_fitting or any(size not in (None, given) for size, given in zip(takes, has, strict=True)):
        raise UsageError(
            f"{path}: takes {takes}, the images of '{dataset.name}' are {has} (batch, height, width, channels); "
            "for a folder of images give their size by --image-size"
        )


def _with_new_head(keras: Any, model: Any, path: Path, dataset: Dataset, *, warn: Callable[[str], None]) -> Any:
    """Return the model with a new last layer for the classes of the data."""
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


def check_output(model: Any, path: Path, dataset: Dataset, convention: Convention, *, sums_to_one: bool) -> None:
    """Raise UsageError for a model whose answers to some images are no probabilities, ArtifactError without answers."""
    tried = convention.values(dataset.train.images[:_TRIED_IMAGES])
    with as_artifact_error(path, "Keras cannot run it"):
        answers = np.asarray(model(tried, training=False))
    is_probability = answers.ndim == 2 and bool(((answers >= 0) & (answers <= 1)).all())
    if sums_to_one:
        is_probability = is_probability and bool(np.allclose(answers.sum(axis=1), 1, atol=SUM_TOLERANCE))
    if not is_probability:
        raise UsageError(f"{path}: its answers are no probabilities; training takes a model that ends in a softmax")


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
