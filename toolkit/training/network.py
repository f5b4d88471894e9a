"""The model and the optimizer that a recipe asks for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit import models
from toolkit.data.base.parts import Parts
from toolkit.runtimes.keras.loading import allowing, load_model
from toolkit.training import quantization, transfer
from toolkit.training.normalization import normalized
from toolkit.training.recipe import Recipe


def build(
    keras: Any, recipe: Recipe, parts: Parts, *, warn: Callable[[str], None], in_float: Path | None = None
) -> tuple[Any, Any]:
    """Return the model and the optimizer of a recipe, not trained yet, or as the recipe's Keras file has the model.

    in_float: what the recipe itself has trained in float, if the model is to go on from there with rounding.
    """
    if in_float is not None:
        with allowing(recipe.code_files):
            model = quantization.fake_quantized(keras, load_model(in_float), parts)
    elif models.weights_files(recipe.model):
        model = transfer.start(keras, recipe, parts.dataset, warn=warn)
        if recipe.qat:
            model = quantization.fake_quantized(keras, model, parts)
    else:
        model = _new(keras, recipe, parts)
        if recipe.qat:
            quantization.check(keras, model)
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    optimizer = kinds[recipe.optimizer](learning_rate=recipe.learning_rate)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def float32_model(keras: Any, recipe: Recipe, parts: Parts) -> Any:
    """Return the model of a recipe as it is in float32, whatever the recipe computes in."""
    return _new(keras, replace(recipe, precision="float32"), parts)


def _new(keras: Any, recipe: Recipe, parts: Parts) -> Any:
    # bfloat16 has the exponents of float32, so it needs no loss scaling; its arithmetic is in GPUs from compute
    # capability 8.0 and in CPUs with AVX512-BF16 or AMX.
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else "mixed_bfloat16")
    try:
        model = models.build(
            recipe.model,
            input_shape=parts.dataset.input_shape,
            classes=parts.dataset.classes,
            activation=recipe.activation,
        )
        return normalized(keras, model, parts)
    finally:
        keras.config.set_dtype_policy("float32")
